import { describe, expect, test } from 'vitest';
import { imagesCommands } from '../../../worker/plan/encode-images.ts';
import { colorFilters, decoderOptions, frameFilters } from '../../../worker/plan/picture.ts';
import { imageNames, planImages, planSoundImages } from '../../../worker/plan/plan-images.ts';
import { storyboardVtt } from '../../../worker/plan/storyboard.ts';
import { examplePlan } from './example.ts';

const place = { address: '/data/source file.mp4', directory: '/scratch' };

describe('Picture filters', () => {
  const { video } = examplePlan().media;
  if (!video) throw new Error('The plan has no picture.');

  test('Interlaced video is deinterlaced', () => {
    const of = (fieldOrder: 'top_first' | 'bottom_first' | 'progressive') =>
      frameFilters({ ...video, fieldOrder });
    expect(of('top_first')).toEqual([
      'scale=interl=1',
      'bwdif=mode=send_frame:parity=tff:deint=all',
    ]);
    expect(of('bottom_first')[1]).toBe('bwdif=mode=send_frame:parity=bff:deint=all');
    expect(of('progressive')).toEqual([]);
  });

  test('Video is rotated after it was deinterlaced', () => {
    expect(frameFilters({ ...video, turn: 'clock' })).toEqual(['transpose=clock']);
    expect(frameFilters({ ...video, turn: 'half', fieldOrder: 'top_first' })).toEqual([
      ...['scale=interl=1', 'bwdif=mode=send_frame:parity=tff:deint=all', 'hflip', 'vflip'],
    ]);
  });

  test('Transparent video is placed on black', () => {
    const filters = (more: object) => colorFilters({ ...video, alpha: true, ...more }).slice(0, 3);
    const black = ['premultiply=inplace=1', 'format=yuv420p'];
    expect(filters({})).toEqual(['format=yuva444p', ...black]);
    expect(filters({ bitDepth: 12 })).toEqual(['format=yuva444p10le', ...black]);
    expect(filters({ rgb: true })).toEqual(['format=gbrap', ...black]);
    expect(decoderOptions({ ...video, codec: 'vp9', alpha: true })).toEqual([
      ...['-threads', '1', '-noautorotate', '-c:0', 'libvpx-vp9'],
    ]);
  });

  test('HDR video is tone-mapped to SDR', () => {
    expect(colorFilters({ ...video, transfer: 'hlg', colorRange: 'tv' })).toEqual([
      'zscale=tin=arib-std-b67:pin=bt2020:min=bt2020nc:rin=tv:p=bt2020:t=linear:npl=100',
      'format=gbrpf32le',
      'zscale=p=bt709',
      'tonemap=hable:desat=0',
      'zscale=t=bt709:m=bt709:r=tv',
      'format=yuv420p',
    ]);
    expect(colorFilters({ ...video, transfer: 'pq', colorMatrix: 'bt2020c' })[0]).toBe(
      'zscale=tin=smpte2084:pin=bt2020:min=bt2020nc:rin=tv:p=bt2020:t=linear:npl=100',
    );
  });

  test('Output colours are those that players assume by default', () => {
    const named = { colorPrimaries: 'bt470bg', colorTransfer: 'bt709', colorMatrix: 'bt470bg' };
    const large = { display: { width: 720, height: 1280 } };
    const filters = (more: object) => colorFilters({ ...video, ...more }).slice(1);
    expect(filters(named)).toEqual([]);
    expect(filters({ colorMatrix: 'bt709' })).toEqual([
      'setparams=color_primaries=smpte170m:color_trc=smpte170m',
    ]);
    expect(filters(large)).toEqual([
      'setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709',
    ]);
    expect(filters({ rgb: true, colorMatrix: 'gbr' })).toEqual([
      'setparams=color_primaries=bt709:color_trc=bt709:colorspace=smpte170m',
    ]);
  });
});

describe('Images', () => {
  test('Images are never wider than the largest rendition', () => {
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

  test('A sheet of tiles fits into a JPEG for a video of any height', () => {
    const tileOf = (width: number, height: number) =>
      planImages({ width, height }, 60).storyboard?.tile;
    expect(tileOf(1080, 1920)).toEqual({ width: 160, height: 284 });
    expect(tileOf(16, 14_000)).toEqual({ width: 2, height: 320 });
  });

  test.each([
    [0.04, 1, 1],
    [10, 1, 10],
    [10.5, 1, 11],
    [200, 1, 200],
    [201, 2, 101],
    [43_200, 216, 200],
  ])(
    'The storyboard of a source of %d s has a tile every %i s, %i in all',
    (seconds, intervalSeconds, tiles) => {
      const { storyboard } = planImages({ width: 640, height: 360 }, seconds);
      expect(storyboard).toMatchObject({ intervalSeconds, tiles });
    },
  );

  test('A WebVTT file lists the tiles of the storyboard', () => {
    const { storyboard } = planImages({ width: 640, height: 360 }, 27.5);
    if (!storyboard) throw new Error('A moving picture has a storyboard.');
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

  test('One run makes all images, from key frames only if the source is long', () => {
    const short = examplePlan({ seconds: 30 });
    const [argv = []] = imagesCommands(short, place);
    expect(argv).not.toContain('-skip_frame');
    expect(argv.filter((token) => token === '-i')).toHaveLength(1);
    const { poster, thumbnails, sheets } = imageNames(short.images);
    expect(argv).toEqual(
      expect.arrayContaining([poster, ...thumbnails].map((name) => `file:/scratch/${name}`)),
    );
    expect(sheets).toEqual(['storyboard-0.jpg', 'storyboard-1.jpg']);
    const [long = []] = imagesCommands(examplePlan({ seconds: 3600 }), place);
    expect(long.slice(long.indexOf('-skip_frame'))[1]).toBe('nokey');
  });

  test('Dark frames are used only if there are no others', () => {
    const [first, second, ...more] = imagesCommands(examplePlan(), place);
    expect(first?.join(' ')).toContain('signalstats');
    expect(second?.join(' ')).not.toContain('signalstats');
    expect(more).toEqual([]);
  });
});

describe('Images of audio-only sources', () => {
  const alone = { video: undefined };
  const outputs = (name: string) => [
    ...['-frames:v', '1', '-update', '1', '-c:v', 'mjpeg', '-q:v', '3', '-fps_mode', 'passthrough'],
    ...['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', '-f', 'image2'],
    `file:/scratch/${name}`,
  ];
  const outputsOf = (names: readonly string[]) => [
    ...['-map', '[poster]', ...outputs('poster.jpg')],
    ...names.flatMap((name, index) => ['-map', `[thumbnail${index}]`, ...outputs(name)]),
  ];

  test('The images of an audio-only source have no storyboard, and the size of its cover if it has one', () => {
    expect(planSoundImages({ width: 1618, height: 1381 })).toEqual({
      poster: { width: 1280, height: 1092 },
      thumbnails: [
        { width: 640, height: 546 },
        { width: 320, height: 274 },
      ],
    });
    expect(imageNames(planSoundImages(undefined))).toEqual({
      poster: 'poster.jpg',
      thumbnails: ['thumbnail-640.jpg', 'thumbnail-320.jpg'],
      sheets: [],
      storyboard: undefined,
    });
  });

  test('The poster of an audio-only source shows its waveform', () => {
    const [argv, ...more] = imagesCommands(examplePlan(alone), place);
    expect(more).toEqual([]);
    const jpeg = 'scale=out_color_matrix=bt601:out_range=pc,format=yuvj420p';
    expect(argv?.slice(argv.indexOf('-i'))).toEqual([
      ...['-i', 'file:/data/source file.mp4', '-filter_complex'],
      [
        '[0:1]aresample=48000:async=1:min_hard_comp=0.1:first_pts=0,aresample=8000,aformat=sample_fmts=fltp:channel_layouts=mono,asetnsamples=n=8000:p=0,ametadata=mode=add:key=seen:value=1,ametadata=mode=print:key=seen:file=pipe\\\\:1:direct=1,atrim=end=10[sum]',
        '[sum]asplit=2[one][same]',
        '[one][same]amultiply,aresample=400,asetnsamples=n=65536:p=0,showwavespic=s=160x720:scale=cbrt:filter=peak:colors=0x8ec5ff,scale=1280:720:flags=neighbor[bars]',
        'color=c=0x16202a:s=1280x720:d=1[ground]',
        '[ground][bars]overlay=format=rgb:shortest=1,drawbox=x=0:y=ih/2-2:w=iw:h=4:c=0x8ec5ff:t=fill,drawgrid=w=8:h=ih:t=3:c=0x16202a,setsar=1,split[chosen][shown]',
        '[chosen]split=3[p][t0][t1]',
        `[p]${jpeg}[poster]`,
        `[t0]scale=640:360:flags=bicubic,setsar=1,${jpeg}[thumbnail0]`,
        `[t1]scale=320:180:flags=bicubic,setsar=1,${jpeg}[thumbnail1]`,
        `[shown]scale=32:18:flags=area+accurate_rnd,${jpeg}[copies]`,
      ].join(';'),
      ...outputsOf(['thumbnail-640.jpg', 'thumbnail-320.jpg']),
      ...['-map', '[copies]', '-fps_mode', 'passthrough', '-c:v', 'rawvideo', '-f', 'rawvideo'],
      'file:/scratch/shown.yuv',
    ]);
  });

  test('The poster of an audio-only source is its cover, or its waveform if the cover is damaged', () => {
    const plan = examplePlan({ ...alone, cover: { width: 300, height: 300 } });
    const [cover, waveform, ...more] = imagesCommands(plan, place);
    expect(cover?.[cover.indexOf('-filter_complex') + 1]).toMatch(
      /^\[0:2\]format=yuv420p,.*scale=300:300:flags=bicubic,setsar=1,split\[chosen\]\[shown\];/,
    );
    expect(waveform?.join(' ')).toContain('showwavespic=s=38x300');
    expect(more).toEqual([]);
  });
});
