import { describe, expect, test } from 'vitest';
import { audioCommand, videoCommand } from '../../worker/plan/encode.ts';
import { imageNames, imagesCommand, planImages, storyboardVtt } from '../../worker/plan/images.ts';
import { colorFilters, frameFilters } from '../../worker/plan/picture.ts';
import type { Plan, Unit } from '../../worker/plan/plan.ts';
import { rational } from '../../worker/plan/rational.ts';
import { examplePlan } from './example.ts';

type VideoUnit = Extract<Unit, { kind: 'video' }>;

function videoUnit(plan: Plan, index: number): VideoUnit {
  const units = plan.units.filter((unit): unit is VideoUnit => unit.kind === 'video');
  const unit = units[index];
  if (!unit) throw new Error(`The plan has no chunk ${index}.`);
  return unit;
}

const place = { address: '/data/source file.mp4', directory: '/scratch' };
const DEMUXERS =
  'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,asf,ogg,mxf,wav,mp3,aac,flac,m4v,h264,hevc,dv,gxf,rm,ivf,amr,aiff,ac3,w64,caf';
const HEAD = [
  ...['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-progress', 'pipe:1', '-nostats'],
  ...['-y', '-copyts', '-protocol_whitelist', 'file', '-format_whitelist', DEMUXERS],
];

const output = (stream: number, maxRate: number, borders: string, first: number, name: string) => [
  ...['-map', `[v${stream}]`, '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '22'],
  ...['-maxrate', String(maxRate), '-bufsize', String(maxRate), '-profile:v', 'high'],
  ...['-g', '60', '-keyint_min', '60', '-sc_threshold', '0', '-flags', '+cgop+bitexact'],
  ...['-x264-params', 'threads=1:lookahead-threads=1:sync-lookahead=10'],
  ...['-fps_mode', 'passthrough', '-map_metadata', '-1', '-fflags', '+bitexact'],
  ...['-muxdelay', '0', '-muxpreload', '0', '-output_ts_offset', '10'],
  ...['-f', 'segment', '-segment_format', 'mpegts', '-segment_frames', borders],
  ...['-segment_start_number', String(first), `/scratch/${name}/%05d.ts`],
];

describe('A chunk', () => {
  const rate = rational(30_000, 1001);

  test('is encoded by one run, with one decode for all renditions.', () => {
    const plan = examplePlan({ seconds: 80, rate, startSeconds: -0.5 });
    const unit = videoUnit(plan, 1);
    expect(videoCommand(plan, unit, { ...place, seekSeconds: 60.06 })).toEqual([
      ...HEAD,
      ...['-noaccurate_seek', '-ss', '60.060000', '-i', 'file:/data/source file.mp4'],
      '-filter_complex',
      '[0:0]setpts=PTS-(-0.5)/TB,fps=fps=30000/1001:start_time=60.060000:round=near,' +
        'tpad=stop=-1:stop_mode=clone,trim=end_frame=598,format=yuv420p,split=2[s0][s1];' +
        '[s0]scale=640:360:flags=bicubic:out_range=tv,setsar=1[v0];' +
        '[s1]scale=416:234:flags=bicubic:out_range=tv,setsar=1[v1]',
      ...output(0, 900_000, '180,360,540', 10, '360p'),
      ...output(1, 300_000, '180,360,540', 10, '234p'),
    ]);
  });

  test('that begins the source is decoded from its start.', () => {
    const plan = examplePlan({ seconds: 5, rate });
    const argv = videoCommand(plan, videoUnit(plan, 0), place);
    expect(argv).not.toContain('-ss');
    expect(argv).toContain('2147483646');
  });

  test('of a remote source is read by ranges, and nothing but HTTP is spoken.', () => {
    const plan = examplePlan();
    const address = 'https://bucket.example/key?signature';
    const argv = videoCommand(plan, videoUnit(plan, 0), { ...place, address });
    const from = argv.indexOf('-protocol_whitelist');
    expect(argv.slice(from, argv.indexOf('-i') + 2)).toEqual([
      ...['-protocol_whitelist', 'http,https,tls,tcp', '-format_whitelist', DEMUXERS],
      ...['-rw_timeout', '30000000', '-reconnect', '1', '-reconnect_on_network_error', '1'],
      ...['-i', address],
    ]);
  });
});

test('A sound track is encoded in one run, cut where the picture is.', () => {
  const plan = examplePlan({ seconds: 20, startSeconds: 1.4 });
  const [track] = plan.audio;
  if (!track) throw new Error('The plan has no sound.');
  expect(audioCommand(plan, track, place)).toEqual([
    ...HEAD,
    ...['-i', 'file:/data/source file.mp4', '-map', '0:1', '-af'],
    'asetpts=PTS-(1.4)/TB,aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,' +
      'aformat=sample_fmts=fltp:channel_layouts=stereo,apad,atrim=end_sample=960000',
    ...['-c:a', 'aac', '-b:a', '128000', '-flags', '+bitexact'],
    ...['-map_metadata', '-1', '-fflags', '+bitexact', '-muxdelay', '0', '-muxpreload', '0'],
    ...['-output_ts_offset', '10', '-f', 'segment', '-segment_format', 'mpegts'],
    // 6 s are 281.25 AAC frames; the first frame of all is the encoder's run-in.
    ...['-segment_frames', '283,564,845', '-segment_start_number', '0'],
    '/scratch/audio-0/%05d.ts',
  ]);
});

describe('A picture', () => {
  const { video } = examplePlan().media;
  if (!video) throw new Error('The plan has no picture.');

  test('of fields becomes one of frames.', () => {
    const of = (fieldOrder: 'top_first' | 'bottom_first' | 'progressive') =>
      frameFilters({ ...video, fieldOrder });
    expect(of('top_first')).toEqual(['bwdif=mode=send_frame:parity=tff:deint=all']);
    expect(of('bottom_first')).toEqual(['bwdif=mode=send_frame:parity=bff:deint=all']);
    expect(of('progressive')).toEqual([]);
  });

  test('of high dynamic range is mapped to the standard one.', () => {
    expect(colorFilters({ ...video, transfer: 'hlg', colorRange: 'tv' })).toEqual([
      'zscale=tin=arib-std-b67:pin=bt2020:min=bt2020nc:rin=tv:t=linear:npl=100',
      'format=gbrpf32le',
      'zscale=p=bt709',
      'tonemap=hable:desat=0',
      'zscale=t=bt709:m=bt709:r=tv',
      'format=yuv420p',
    ]);
    expect(colorFilters({ ...video, transfer: 'pq' })[0]).toMatch(/tin=smpte2084/);
    expect(colorFilters(video)).toEqual(['format=yuv420p']);
  });
});

describe('The images', () => {
  test('are never wider than the largest rendition.', () => {
    expect(planImages({ width: 1920, height: 1080 }, 60)).toMatchObject({
      poster: { width: 1280, height: 720 },
      thumbnails: [
        { width: 640, height: 360 },
        { width: 320, height: 180 },
      ],
    });
    expect(planImages({ width: 300, height: 200 }, 60)).toMatchObject({
      poster: { width: 300, height: 200 },
      thumbnails: [],
    });
  });

  test.each([
    [0.04, 1, 1],
    [10, 1, 10],
    [10.5, 1, 11],
    [200, 1, 200],
    [201, 2, 101],
    [43_200, 216, 200],
  ])('of %d s have a tile each %i s, %i in all.', (seconds, intervalSeconds, tiles) => {
    const { storyboard } = planImages({ width: 640, height: 360 }, seconds);
    expect(storyboard).toMatchObject({ intervalSeconds, tiles });
  });

  test('of the storyboard are told to players by WebVTT.', () => {
    const { storyboard } = planImages({ width: 640, height: 360 }, 27.5);
    const text = storyboardVtt(storyboard, 27.5);
    expect(text.split('\n\n').slice(0, 3)).toEqual([
      'WEBVTT',
      '00:00:00.000 --> 00:00:01.000\nstoryboard-0.jpg#xywh=0,0,160,90',
      '00:00:01.000 --> 00:00:02.000\nstoryboard-0.jpg#xywh=160,0,160,90',
    ]);
    expect(text.trimEnd().split('\n\n').at(-1)).toBe(
      '00:00:27.000 --> 00:00:27.500\nstoryboard-1.jpg#xywh=320,0,160,90',
    );
  });

  test('are made in one run, the long source looked at by its key frames only.', () => {
    const short = examplePlan({ seconds: 30 });
    const argv = imagesCommand(short, place, 'skipped');
    expect(argv).not.toContain('-skip_frame');
    expect(argv.filter((token) => token === '-i')).toHaveLength(1);
    if (!short.images) throw new Error('The plan has no images.');
    const { poster, thumbnails, sheets } = imageNames(short.images);
    expect(argv).toEqual(
      expect.arrayContaining([poster, ...thumbnails].map((name) => `/scratch/${name}`)),
    );
    expect(sheets).toEqual(['storyboard-0.jpg', 'storyboard-1.jpg']);
    const long = imagesCommand(examplePlan({ seconds: 3600 }), place, 'skipped');
    expect(long.slice(long.indexOf('-skip_frame'))[1]).toBe('nokey');
  });

  test('look at dark frames only when there are no others.', () => {
    const graph = (dark: 'skipped' | 'allowed') =>
      imagesCommand(examplePlan(), place, dark).join(' ');
    expect(graph('skipped')).toContain('signalstats');
    expect(graph('allowed')).not.toContain('signalstats');
  });
});
