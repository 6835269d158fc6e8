import { describe, expect, test } from 'vitest';
import type { Unit } from '../../../core/model/units.ts';
import { DEMUXERS } from '../../../worker/plan/demuxers.ts';
import { audioCommand, inputOptions, videoCommand } from '../../../worker/plan/encode.ts';
import { makeGrid } from '../../../worker/plan/grid.ts';
import type { Opening, SourceVideo } from '../../../worker/plan/media.ts';
import { PLAN_SCHEMA } from '../../../worker/plan/plan.ts';
import type { AudioTrack, Plan } from '../../../worker/plan/plan.ts';
import { rational } from '../../../worker/plan/rational.ts';
import type { Rational } from '../../../worker/plan/rational.ts';

const VIDEO: SourceVideo = {
  index: 0,
  codec: 'h264',
  display: { width: 1280, height: 720 },
  turn: 'none',
  rates: { average: rational(25, 1), base: rational(25, 1) },
  variableFrameRate: false,
  fieldOrder: 'progressive',
  fieldsFlagged: false,
  resized: false,
  transfer: 'sdr',
  bitDepth: 8,
  rgb: false,
  alpha: false,
};

const TRACK: AudioTrack = {
  name: 'audio-0',
  streams: [{ index: 1 }],
  language: 'en',
  label: 'English',
  default: true,
  channels: 2,
  bitRate: 128_000,
};

interface Source {
  readonly durationSeconds?: number;
  readonly rate?: Rational;
  readonly startSeconds?: number;
  readonly video?: Partial<SourceVideo>;
  readonly channels?: number;
}

function planOf(source: Source = {}): Plan {
  const { durationSeconds = 70, rate = rational(25, 1), startSeconds = 0, channels = 2 } = source;
  return {
    schema: PLAN_SCHEMA,
    jobId: 'job-1',
    assetId: 'asset-1',
    source: { bucket: 'sources', key: 'a b.mp4', etag: 'e', sizeBytes: 1 },
    title: 'a b',
    media: {
      demuxer: 'mov,mp4,m4a,3gp,3g2,mj2',
      opening: { late: false, ignoreEdits: false },
      sizeBytes: 1,
      startSeconds,
      durationSeconds,
      video: { ...VIDEO, ...source.video },
      audio: [
        {
          streams: [{ index: 1, channels }],
          codec: 'aac',
          channels,
          sampleRate: 48_000,
          language: 'en',
          default: true,
        },
      ],
      leftOut: [],
    },
    durationSeconds,
    originSeconds: startSeconds,
    grid: makeGrid(rate, durationSeconds),
    renditions: [
      { name: '720p', width: 1280, height: 720, maxBitRate: 3_500_000, bufferBits: 3_500_000 },
      { name: '234p', width: 416, height: 234, maxBitRate: 300_000, bufferBits: 300_000 },
    ],
    skipped: [],
    audio: [TRACK],
    leftOut: [],
    images: { poster: { width: 1280, height: 720 }, thumbnails: [] },
    units: [],
    encoder: { preset: 'veryfast', crf: 22 },
  };
}

const LAST_CHUNK: Unit<'video'> = {
  kind: 'video',
  name: 'video-00001',
  firstFrame: 1500,
  frames: 250,
  firstSegment: 10,
  segments: 2,
};

const USUAL: Opening = { late: false, ignoreEdits: false };

const WHITELIST = DEMUXERS.join(',');

function valueOf(argv: readonly string[], option: string): string | undefined {
  return argv[argv.indexOf(option) + 1];
}

describe('Commands for chunks', () => {
  test('A chunk is decoded once for all renditions, which are cut at the same frames', () => {
    const place = { address: '/data/ab', seekSeconds: 59.5, directory: '/tmp/50%/video-00001' };
    const tiny = 'scale=128:72:flags=neighbor:out_range=tv,scale=32:18:flags=area,format=yuv420p';
    const encoding = (index: number, name: string, bits: string) => [
      ...['-map', `[v${index}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '22'],
      ...['-maxrate', bits, '-bufsize', bits, '-profile:v', 'high', '-g', '50'],
      ...['-keyint_min', '50', '-sc_threshold', '0', '-flags', '+cgop+bitexact'],
      ...['-x264-params', 'threads=1:lookahead-threads=1:sync-lookahead=10'],
      ...['-fps_mode', 'passthrough', '-map_metadata', '-1', '-fflags', '+bitexact'],
      ...['-muxdelay', '0', '-muxpreload', '0', '-output_ts_offset', '10', '-f', 'segment'],
      ...['-segment_format', 'mpegts', '-segment_frames', '150', '-segment_start_number', '10'],
      `file:/tmp/50%%/video-00001/${name}/%05d.ts`,
    ];
    expect(videoCommand(planOf({ startSeconds: 1.4 }), LAST_CHUNK, place)).toEqual([
      ...['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-progress', 'pipe:1'],
      ...['-nostats', '-y', '-copyts', '-abort_on', 'empty_output_stream', '-reinit_filter', '0'],
      ...[
        '-threads',
        '1',
        '-noautorotate',
        '-itsoffset',
        '-1.400000',
        '-protocol_whitelist',
        'file',
        '-format_whitelist',
        WHITELIST,
      ],
      ...[
        '-noaccurate_seek',
        '-seek_timestamp',
        '1',
        '-ss',
        '59.500000',
        '-i',
        'file:/data/ab',
        '-filter_complex',
      ],
      '[0:0]split[decoded][frames];' +
        '[decoded]setpts=if(eq(N\\,0)\\,min(PTS\\,70.020000/TB)\\,PTS),' +
        `trim=end=70.040000,${tiny}[source];` +
        '[frames]fps=fps=25/1:round=near:eof_action=pass,tpad=stop=-1:stop_mode=clone,' +
        'fps=fps=25/1:round=near:start_time=60.000000,trim=end_frame=250,split[framed][colors];' +
        `[framed]${tiny}[grid];` +
        '[colors]format=yuv420p,' +
        'setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709,' +
        `split=3[s0][s1][ready];[ready]split[copied][kept];[copied]${tiny}[shown];` +
        '[kept]select=lt(mod(n+2\\,150)\\,5),scale=32:18:flags=area+accurate_rnd:out_range=tv,format=yuv420p[keys];' +
        '[s0]scale=1280:720:flags=bicubic:out_range=tv,setsar=1[v0];' +
        '[s1]scale=416:234:flags=bicubic:out_range=tv,setsar=1[v1]',
      ...encoding(0, '720p', '3500000'),
      ...encoding(1, '234p', '300000'),
      ...['-map', '[source]', '-fps_mode', 'passthrough', '-enc_time_base', '1:1000000'],
      ...['-f', 'framemd5', 'file:/tmp/50%/video-00001/source.framemd5'],
      ...['-map', '[grid]', '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'rawvideo'],
      'file:/tmp/50%/video-00001/grid.yuv',
      ...['-map', '[shown]', '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'rawvideo'],
      'file:/tmp/50%/video-00001/shown.yuv',
      ...['-map', '[keys]', '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'rawvideo'],
      'file:/tmp/50%/video-00001/keys.yuv',
    ]);
  });

  test('The start of a chunk is exact to the microsecond at fractional frame rates', () => {
    const rate = rational(30_000, 1001);
    const unit = { ...LAST_CHUNK, firstFrame: 1800 * 59 };
    const argv = videoCommand(planOf({ rate }), unit, { address: '/a', directory: '/d' });
    expect(valueOf(argv, '-filter_complex')).toContain(
      'fps=fps=30000/1001:round=near:start_time=3543.540000',
    );
  });

  test('Fields of one size are deinterlaced before the grid', () => {
    const plan = planOf({ video: { fieldOrder: 'top_first' } });
    const argv = videoCommand(plan, LAST_CHUNK, { address: '/a', directory: '/d' });
    expect(valueOf(argv, '-filter_complex')).toMatch(
      /^\[0:0\]scale=interl=1,bwdif=[^,]+,split\[decoded\]\[frames\];/,
    );
    expect(valueOf(argv, '-reinit_filter')).toBe('0');
  });

  test('Without a seek time, the source is decoded from its start', () => {
    const argv = videoCommand(planOf(), LAST_CHUNK, { address: '/a', directory: '/d' });
    expect(argv).not.toContain('-ss');
  });

  test('A single segment gets a border that is never reached', () => {
    const unit = { ...LAST_CHUNK, frames: 20, segments: 1 };
    const argv = videoCommand(planOf(), unit, { address: '/a', directory: '/d' });
    expect(valueOf(argv, '-segment_frames')).toBe('2147483646');
  });

  test('A plan without video has no command for chunks', () => {
    const { video: _, ...media } = planOf().media;
    expect(() =>
      videoCommand({ ...planOf(), media }, LAST_CHUNK, { address: '/a', directory: '/d' }),
    ).toThrow('video-00001 of job job-1 has no picture to encode.');
  });
});

describe('Commands for sound tracks', () => {
  const levels = (file: string) =>
    'aresample=8000,highpass=f=400,highpass=f=400,asetnsamples=n=800:p=0,' +
    'astats=metadata=1:reset=1:measure_perchannel=none:measure_overall=RMS_level,' +
    `ametadata=mode=print:key=lavfi.astats.Overall.RMS_level:file=${file}`;

  test("One run encodes a whole track, cut at the video's borders", () => {
    const plan = planOf({ durationSeconds: 13, startSeconds: -0.023 });
    const place = { address: '/data/ab', directory: "/tmp/it's" };
    expect(audioCommand(plan, TRACK, place)).toEqual([
      ...['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-progress', 'pipe:1'],
      ...['-nostats', '-y', '-copyts', '-abort_on', 'empty_output_stream', '-reinit_filter', '0'],
      ...['-itsoffset', '0.023000', '-protocol_whitelist', 'file', '-format_whitelist', WHITELIST],
      ...['-i', 'file:/data/ab', '-filter_complex'],
      '[0:1]asplit[s0][m0];' +
        `[s0]${levels("file\\\\:/tmp/it\\\\\\'s/source-0.levels")}[heard0];` +
        '[m0]aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,' +
        'aformat=sample_fmts=fltp:channel_layouts=stereo,apad,atrim=end_sample=624000,' +
        `asplit[made][sum];[made]${levels("file\\\\:/tmp/it\\\\\\'s/encoded.levels")}[encoded]`,
      ...['-map', '[heard0]', '-f', 'null', '-', '-map', '[encoded]', '-f', 'null', '-'],
      ...['-map', '[sum]', '-c:a', 'aac', '-b:a', '128000', '-flags', '+bitexact'],
      ...['-map_metadata', '-1', '-fflags', '+bitexact'],
      ...['-muxdelay', '0', '-muxpreload', '0', '-output_ts_offset', '10', '-f', 'segment'],
      // 6 s are 281.25 frames of 1024 samples, 12 s are 562.5; one more is the encoder's run-in.
      ...['-segment_format', 'mpegts', '-segment_frames', '283,564', '-segment_start_number', '0'],
      "file:/tmp/it's/audio-0/%05d.ts",
    ]);
  });

  test.each([
    [1, 1],
    [2, 2],
    [6, 2],
    [8, 2],
  ] as const)('of %d channels makes %d', (channels, made) => {
    const track = { ...TRACK, channels: made };
    const argv = audioCommand(planOf({ channels }), track, { address: '/a', directory: '/d' });
    const graph = valueOf(argv, '-filter_complex') ?? '';
    expect(graph).toContain('[0:1]asplit[s0][m0];');
    expect(graph).toContain(';[m0]aresample=');
    expect(graph).toContain(`channel_layouts=${made === 1 ? 'mono' : 'stereo'}`);
  });

  test('The planned gains are applied, and peaks are limited', () => {
    const gains = { left: [0.8165, 0, 0.5774], right: [0, 0.8165, 0.5774] };
    const track = { ...TRACK, streams: [{ index: 1, gains }] };
    const argv = audioCommand(planOf(), track, { address: '/a', directory: '/d' });
    expect(valueOf(argv, '-filter_complex')?.split(';')).toEqual([
      '[0:1]aformat=sample_fmts=fltp,pan=stereo|c0=0.8165*c0+0.5774*c2|c1=0.8165*c1+0.5774*c2,' +
        'asplit[s0][m0]',
      `[s0]${levels('file\\\\:/d/source-0.levels')}[heard0]`,
      '[m0]aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,' +
        'alimiter=limit=1:level=0:latency=1,' +
        'aformat=sample_fmts=fltp:channel_layouts=stereo,apad,atrim=end_sample=3360000,' +
        'asplit[made][sum]',
      `[made]${levels('file\\\\:/d/encoded.levels')}[encoded]`,
    ]);
  });

  test('Two streams that hold the left and the right channel are mixed to stereo', () => {
    const streams = [
      { index: 1, gains: { left: [1], right: [0] } },
      { index: 2, gains: { left: [0], right: [1] } },
    ];
    const argv = audioCommand(planOf(), { ...TRACK, streams }, { address: '/a', directory: '/d' });
    const outputs = argv.filter((_, index) => argv[index - 1] === '-map');
    expect(outputs).toEqual(['[heard0]', '[heard1]', '[encoded]', '[sum]']);
    const zero = 'aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,apad';
    expect(valueOf(argv, '-filter_complex')?.split(';')).toEqual([
      '[0:1]aformat=sample_fmts=fltp,pan=stereo|c0=c0|c1=0*c0,asplit[s0][m0]',
      `[s0]${levels('file\\\\:/d/source-0.levels')}[heard0]`,
      `[m0]${zero}[a0]`,
      '[0:2]aformat=sample_fmts=fltp,pan=stereo|c0=0*c0|c1=c0,asplit[s1][m1]',
      `[s1]${levels('file\\\\:/d/source-1.levels')}[heard1]`,
      `[m1]${zero}[a1]`,
      '[a0][a1]amix=inputs=2:normalize=0,' +
        'aformat=sample_fmts=fltp:channel_layouts=stereo,apad,atrim=end_sample=3360000,' +
        'asplit[made][sum]',
      `[made]${levels('file\\\\:/d/encoded.levels')}[encoded]`,
    ]);
  });

  test('A last segment that is shorter than an AAC frame still gets a frame', () => {
    // Two segments of 360 frames and one frame more, of 801 samples: 577,377 are 564 frames of 1024.
    const rate = rational(60_000, 1001);
    const plan = planOf({ rate, durationSeconds: 721 * (1001 / 60_000) });
    const argv = audioCommand(plan, TRACK, { address: '/a', directory: '/d' });
    expect(valueOf(argv, '-segment_frames')).toBe('283,564');
  });
});

describe('Input options', () => {
  test('The input options for a file allow no file that it refers to', () => {
    expect(inputOptions({ address: '/data/a:b' }, USUAL)).toEqual([
      ...['-protocol_whitelist', 'file', '-format_whitelist', WHITELIST, '-i', 'file:/data/a:b'],
    ]);
  });

  test('The input options for a loopback address allow only HTTP over TCP', () => {
    const address = 'http://127.0.0.1:9000/?a';
    expect(inputOptions({ address }, USUAL)).toEqual([
      ...['-protocol_whitelist', 'http,tcp', '-format_whitelist', WHITELIST, '-i', address],
    ]);
  });

  test('A deep probe analyses a minute or 50 MB of the source', () => {
    expect(inputOptions({ address: '/a' }, { ...USUAL, late: true }).slice(4)).toEqual([
      ...['-analyzeduration', '60000000', '-probesize', '50000000', '-i', 'file:/a'],
    ]);
  });

  test('An invalid edit list is ignored', () => {
    expect(inputOptions({ address: '/a' }, { ...USUAL, ignoreEdits: true }).slice(4)).toEqual([
      ...['-ignore_editlist', '1', '-i', 'file:/a'],
    ]);
  });

  test.each(['hls', 'dash', 'concat', 'sdp', 'rtsp', 'image2', 'png_pipe', 'lavfi', 'tedcaptions'])(
    'The input options never allow the demuxer %s',
    (demuxer) => {
      const argv = inputOptions({ address: '/a' }, USUAL);
      expect(valueOf(argv, '-format_whitelist')?.split(',')).not.toContain(demuxer);
    },
  );
});
