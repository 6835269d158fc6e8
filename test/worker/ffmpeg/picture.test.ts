import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LADDER } from '../../../core/model/ladder.ts';
import { probeSource } from '../../../worker/ffmpeg/probe.ts';
import { imagesCommands } from '../../../worker/plan/encode-images.ts';
import { videoCommand } from '../../../worker/plan/encode.ts';
import { chunksOf } from '../../../worker/plan/grid.ts';
import { frameFilters } from '../../../worker/plan/picture.ts';
import { planAsset } from '../../../worker/plan/plan-asset.ts';
import { imageNames } from '../../../worker/plan/plan-images.ts';
import type { Plan } from '../../../worker/plan/plan.ts';
import { numberedPicture } from '../../media/numbered.ts';

const run = promisify(execFile);
const signal = new AbortController().signal;

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vodstack-picture-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Makes a source with ffmpeg; returns its path. */
async function makeSource(name: string, ...argv: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...argv, path]);
  return path;
}

async function planSource(address: string): Promise<Plan> {
  const { size: sizeBytes } = await stat(address);
  const limits = { maxDurationSeconds: 3600, maxSizeBytes: 2 ** 30, maxPicturePixels: 1e7 };
  return planAsset({
    jobId: 'job',
    assetId: 'asset',
    title: 'A title',
    ladder: LADDER,
    source: { bucket: 'sources', key: 'key', etag: 'etag', sizeBytes },
    media: await probeSource({
      address,
      sizeBytes,
      limits,
      picture: 'optional' as const,
      ffmpeg: 'ffmpeg',
      ffprobe: 'ffprobe',
      signal,
    }),
    encoder: { preset: 'ultrafast', crf: 30 },
  });
}

type Color = readonly [number, number, number];

interface Shown {
  readonly width: number;
  readonly height: number;
  /** Red, green and blue at coordinates between 0 and 1. */
  readonly at: (x: number, y: number) => Color;
}

/** The pictures that go to the encoder of the largest rendition, from the start of the source. */
async function shown(address: string): Promise<readonly Shown[]> {
  const plan = await planSource(address);
  const [rendition] = plan.renditions;
  const [chunk] = chunksOf(plan.grid);
  if (!rendition || !chunk) throw new Error('The plan has no picture.');
  const one = { ...plan, renditions: [rendition] };
  const argv = videoCommand(
    one,
    { kind: 'video', name: 'v', ...chunk },
    { address, directory: '/' },
  );
  const graph = argv
    .slice(0, argv.indexOf('-map'))
    .filter((token) => !/^-?p(rogress|ipe:1)/.test(token));
  const output = [
    '-map',
    '[v0]',
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
  ];
  const reference = ['source', 'grid', 'shown', 'keys'].flatMap((name) => ['-map', `[${name}]`]);
  const unread = [...reference, '-fps_mode', 'passthrough', '-f', 'null', '/dev/null'];
  const { stdout } = await run('ffmpeg', [...graph, ...output, 'pipe:1', ...unread], {
    encoding: 'buffer',
    maxBuffer: 2 ** 28,
  });
  const bytes = rendition.width * rendition.height * 3;
  return Array.from({ length: stdout.length / bytes }, (_, index) =>
    pictureOf(stdout.subarray(index * bytes, (index + 1) * bytes), rendition),
  );
}

function pictureOf(rgb: Buffer, { width, height }: { width: number; height: number }): Shown {
  const at = (x: number, y: number): Color => {
    const place = (Math.floor(y * height) * width + Math.floor(x * width)) * 3;
    return [rgb[place] ?? -1, rgb[place + 1] ?? -1, rgb[place + 2] ?? -1];
  };
  return { width, height, at };
}

/** The poster, decoded. */
async function poster(address: string): Promise<Shown> {
  const plan = await planSource(address);
  const directory = await mkdtemp(join(folder, 'images-'));
  await run('ffmpeg', [...(imagesCommands(plan, { address, directory }).at(-1) ?? [])]);
  const path = join(directory, imageNames(plan.images).poster);
  const argv = ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const { stdout } = await run('ffmpeg', argv, { encoding: 'buffer', maxBuffer: 2 ** 26 });
  return pictureOf(stdout, plan.images.poster);
}

const isNear = (one: Color, other: Color, levels = 12) =>
  one.every((value, index) => Math.abs(value - (other[index] ?? 0)) <= levels);

const NAMES: Readonly<Record<string, Color>> = {
  red: [255, 0, 0],
  green: [0, 255, 0],
  blue: [0, 0, 255],
  white: [255, 255, 255],
  black: [0, 0, 0],
};

/** The name of a near colour above, or the value if none is near. */
function nameOf(color: Color, levels?: number): string {
  const name = Object.keys(NAMES).find((one) => isNear(color, NAMES[one] ?? color, levels));
  return name ?? color.join(' ');
}

/** Four quarters: red and green above blue and white. */
const QUARTERS =
  'nullsrc=s=128x64:r=10:d=1,format=gbrp,' +
  "geq=r='255*eq(gt(X,W/2),gt(Y,H/2))':g='255*gt(X,W/2)':b='255*gt(Y,H/2)'";

const corners = ({ at }: Shown) =>
  (
    [
      [0.2, 0.2],
      [0.8, 0.2],
      [0.2, 0.8],
      [0.8, 0.8],
    ] as const
  ).map(([x, y]) => nameOf(at(x, y), 40));

describe('A display matrix', () => {
  const ONE = 65_536;

  /** A clip whose header has the matrix (a b, c d). */
  const turned = async (name: string, matrix: readonly number[]) => {
    const path = await makeSource(
      name,
      ...['-f', 'lavfi', '-i', QUARTERS, '-c:v', 'libx264', '-qp', '10', '-pix_fmt', 'yuv420p'],
    );
    const bytes = await readFile(path);
    // In version 0 of the box, the matrix is 44 bytes behind its name.
    const at = bytes.indexOf('tkhd') + 44;
    const [a = 0, b = 0, c = 0, d = 0] = matrix;
    [a, b, 0, c, d, 0].forEach((value, index) => bytes.writeInt32BE(value, at + index * 4));
    await writeFile(path, bytes);
    return path;
  };

  test.each([
    ['that turns nothing', [ONE, 0, 0, ONE], 'red green blue white'],
    ['that mirrors', [-ONE, 0, 0, ONE], 'green red white blue'],
    ['that flips', [ONE, 0, 0, -ONE], 'blue white red green'],
    ['that turns upside down', [-ONE, 0, 0, -ONE], 'white blue green red'],
    ['that turns clockwise', [0, ONE, -ONE, 0], 'blue red white green'],
    ['that turns counterclockwise', [0, -ONE, ONE, 0], 'green white red blue'],
    ['that mirrors on one diagonal', [0, ONE, ONE, 0], 'red blue green white'],
    ['that mirrors on the other', [0, -ONE, -ONE, 0], 'white green blue red'],
  ])('A display matrix %s is applied', async (what, matrix, expected) => {
    const [first] = await shown(await turned(`${what}.mp4`, matrix));
    if (!first) throw new Error('There is no picture.');
    const sideways = matrix[0] === 0;
    expect([first.width, first.height]).toEqual(sideways ? [64, 128] : [128, 64]);
    expect(corners(first).join(' ')).toBe(expected);
  });

  test.each([
    ['that rotates by 30 degrees', [56_756, 32_768, -32_768, 56_756]],
    ['that shears', [ONE, 0, ONE, ONE]],
    ['of rank one', [0, ONE, 5, 0]],
    ['of noise', [17, 123_456_789, -3, 99]],
    ['that stretches beyond any picture', [1, 0, 0, ONE]],
    ['of zeros', [0, 0, 0, 0]],
  ])('A display matrix %s is ignored', async (what, matrix) => {
    const path = await turned(`${what}.mp4`, matrix);
    const [first] = await shown(path);
    if (!first) throw new Error('There is no picture.');
    expect([first.width, first.height]).toEqual([128, 64]);
    expect(corners(first).join(' ')).toBe('red green blue white');
    expect(corners(await poster(path)).join(' ')).toBe('red green blue white');
  });
});

describe('A transparent background', () => {
  /** A red square whose left half is half transparent, on green that is fully transparent. */
  const SQUARE =
    'nullsrc=s=128x96:r=10:d=1,format=gbrap,' +
    "geq=r='255*gt(X,W/4)':g='255*lte(X,W/4)':b=0:a='255*gt(X,W/4)-127*between(X,W/4+1,W/2)'";
  const source = ['-f', 'lavfi', '-i', SQUARE];

  test.each([
    ['qtrle.mov', ['-c:v', 'qtrle', '-pix_fmt', 'argb']],
    ['png.mov', ['-c:v', 'png', '-pix_fmt', 'rgba']],
    ['prores.mov', ['-c:v', 'prores_ks', '-profile:v', '4444', '-pix_fmt', 'yuva444p10le']],
    [
      'vp9.webm',
      ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p', '-b:v', '1M', '-deadline', 'realtime'],
    ],
    ['vp8.webm', ['-c:v', 'libvpx', '-pix_fmt', 'yuva420p', '-b:v', '1M', '-auto-alt-ref', '0']],
    ['ffv1.mkv', ['-c:v', 'ffv1', '-pix_fmt', 'yuva420p']],
  ])(
    'A transparent background in %s is black in the renditions and in the images',
    async (name, codec) => {
      const path = await makeSource(name, ...source, ...codec);
      const [first] = await shown(path);
      for (const picture of [first, await poster(path)]) {
        if (!picture) throw new Error('There is no picture.');
        expect(nameOf(picture.at(0.1, 0.5))).toBe('black');
        expect(nameOf(picture.at(0.9, 0.5))).toBe('red');
        expect(isNear(picture.at(0.38, 0.5), [128, 0, 0])).toBe(true);
      }
    },
  );

  test('A WebM that announces alpha but has none is not treated as transparent', async () => {
    const argv = ['-f', 'lavfi', '-i', QUARTERS, '-c:v', 'libvpx', '-pix_fmt', 'yuv420p'];
    const path = await makeSource('browser.webm', ...argv, '-metadata:s:v', 'alpha_mode=1');
    expect((await planSource(path)).media.video?.alpha).toBe(false);
  });

  test('Uncompressed AVI is never transparent, as its fourth byte has no meaning', async () => {
    const clear = SQUARE.replace(/a='.*'/, 'a=0');
    const argv = ['-f', 'lavfi', '-i', clear, '-c:v', 'rawvideo', '-pix_fmt', 'bgra'];
    const [first] = await shown(await makeSource('raw.avi', ...argv));
    expect(nameOf(first?.at(0.9, 0.5) ?? [0, 0, 0])).toBe('red');
  });
});

describe('A video whose pictures change their size', () => {
  const part = (name: string, size: string, start: number, codec: readonly string[]) =>
    makeSource(
      name,
      ...['-f', 'lavfi', '-i', numberedPicture({ size, rate: '10', seconds: 2 })],
      ...[...codec, '-output_ts_offset', String(start)],
    );

  const strung = async (name: string, parts: readonly string[]) => {
    const path = join(folder, name);
    await writeFile(path, Buffer.concat(await Promise.all(parts.map((one) => readFile(one)))));
    return path;
  };

  test('A transport stream with pictures of several sizes has the largest, with black bars beside portrait pictures', async () => {
    const h264 = ['-c:v', 'libx264', '-qp', '12', '-pix_fmt', 'yuv420p', '-g', '10'];
    const path = await strung('call.ts', [
      await part('c1.ts', '160x90', 0, h264),
      await part('c2.ts', '320x180', 2, h264),
      await part('c3.ts', '96x170', 4, h264),
    ]);
    const pictures = await shown(path);
    expect(pictures.length).toBeGreaterThan(55);
    for (const { width, height } of pictures) expect([width, height]).toEqual([320, 180]);
    for (const at of [5, 25]) {
      expect(nameOf(pictures[at]?.at(0.06, 0.15) ?? [0, 0, 0], 40)).toBe('red');
      expect(nameOf(pictures[at]?.at(0.19, 0.15) ?? [0, 0, 0], 40)).toBe('green');
    }
    // 96x170 becomes 102x180 here, from 0.34 to 0.66 of the width.
    const portrait = pictures[45];
    expect(nameOf(portrait?.at(0.2, 0.15) ?? [1, 1, 1])).toBe('black');
    expect(nameOf(portrait?.at(0.8, 0.15) ?? [1, 1, 1])).toBe('black');
    expect(nameOf(portrait?.at(0.36, 0.15) ?? [0, 0, 0], 40)).toBe('red');
    expect(nameOf(portrait?.at(0.4, 0.15) ?? [0, 0, 0], 40)).toBe('green');
  });

  test('A WebM with pictures of several sizes, like a recorded call, has the largest', async () => {
    const vp8 = ['-c:v', 'libvpx', '-b:v', '500k', '-deadline', 'realtime', '-pix_fmt', 'yuv420p'];
    const parts = [
      await part('w1.ivf', '160x90', 0, vp8),
      await part('w2.ivf', '320x180', 0, vp8),
    ].map((file) => readFile(file));
    // An IVF file is a header of 32 bytes, then frames, each with its length in four bytes and its time in eight.
    const frames = (await Promise.all(parts)).flatMap((bytes) => {
      const found: Buffer[] = [];
      for (let at = 32; at < bytes.length; at += 12 + bytes.readUInt32LE(at))
        found.push(Buffer.from(bytes.subarray(at, at + 12 + bytes.readUInt32LE(at))));
      return found;
    });
    frames.forEach((one, index) => one.writeBigUInt64LE(BigInt(index), 4));
    const header = (await parts[0])?.subarray(0, 32) ?? Buffer.alloc(0);
    const ivf = join(folder, 'grows.ivf');
    await writeFile(ivf, Buffer.concat([header, ...frames]));
    const webm = await makeSource('grows.webm', '-i', ivf, '-c', 'copy');
    const { media, renditions } = await planSource(webm);
    expect(media.video).toMatchObject({ resized: true, display: { width: 320, height: 180 } });
    expect(renditions[0]).toMatchObject({ width: 320, height: 180 });
    const board = await poster(webm);
    expect([board.width, board.height]).toEqual([320, 180]);
    expect(nameOf(board.at(0.06, 0.15), 40)).toBe('red');
  });
});

describe('Interlaced fields', () => {
  const TEST_FIELDS = ['-f', 'lavfi', '-i', 'testsrc2=s=720x576:r=50:d=2'];
  const woven = (first: 'top' | 'bottom', how: string) => [
    ...['-vf', `tinterlace=interleave_${first},setfield=${first[0]}ff,format=yuv420p`],
    ...['-r', '25', ...how.split(' ')],
  ];

  test.each([
    ['dv.avi', 'bottom', '-c:v dvvideo'],
    ['dv.mov', 'bottom', '-c:v dvvideo'],
    ['asp.avi', 'top', '-c:v mpeg4 -q:v 3 -flags +ildct+ilme -top 1'],
    ['asp.mkv', 'bottom', '-c:v mpeg4 -q:v 3 -flags +ildct+ilme -top 0'],
  ] as const)(
    'Fields in %s with the %s one first are known from the flags of the frames',
    async (name, first, how) => {
      const path = await makeSource(name, ...TEST_FIELDS, ...woven(first, how));
      const { media } = await planSource(path);
      expect(media.video).toMatchObject({ fieldOrder: `${first}_first` });
      expect(await combs(path)).toBeLessThan(0.2);
      // Treated as progressive, the pictures would show combs.
      expect(await combs(path, { fieldOrder: 'progressive' })).toBeGreaterThan(0.8);
    },
  );

  test.each([
    ['silent.mp4', 'top', '720x576', '-c:v libx264 -preset ultrafast'],
    ['silent.mkv', 'bottom', '720x480', '-c:v libx264 -preset ultrafast -crf 28'],
    ['silent.avi', 'top', '720x576', '-c:v mjpeg -q:v 4 -pix_fmt yuvj420p'],
    ['silent.mov', 'bottom', '720x576', '-c:v prores_ks -pix_fmt yuv422p10le'],
    ['lossless.mkv', 'bottom', '640x480', '-c:v ffv1'],
  ] as const)(
    'Fields in %s with the %s one first are detected from unflagged pictures',
    async (name, first, size, how) => {
      const path = await makeSource(
        name,
        ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=50:d=1`],
        ...['-vf', `tinterlace=interleave_${first},setfield=prog,format=yuv420p`],
        ...['-r', '25', ...how.split(' ')],
      );
      const { media } = await planSource(path);
      expect(media.video).toMatchObject({ fieldOrder: `${first}_first`, fieldsFlagged: false });
      expect(await combs(path)).toBeLessThan(0.2);
      expect(await combs(path, { fieldOrder: 'progressive' })).toBeGreaterThan(0.8);
    },
  );

  test.each([
    // idet mistakes these two for fields.
    ['patterns', 'testsrc2=s=720x576:r=25:d=1'],
    ['lines that rise by two', lines('lt(mod(Y+2*N,10),1)*gt(mod(X,40),mod(Y+2*N,37))')],
    ['lines that rise by one', lines('lt(mod(Y+N,3),1)')],
    ['lines that come and go', lines('mod(N,2)*mod(Y,2)')],
    ['more lines in each', lines('lt(Y,9*N)*mod(Y,2)')],
    ['noise', 'testsrc2=s=720x480:r=30:d=1,noise=alls=60:allf=t'],
    ['film at 30 frames/s', 'testsrc2=s=720x480:r=24:d=1,fps=30'],
    ['film in fields', 'testsrc2=s=720x480:r=24000/1001:d=1,telecine'],
    ['slides', 'mandelbrot=s=640x480:r=4,fps=30,trim=duration=1'],
  ])('Progressive frames with %s are not taken for fields', async (name, picture) => {
    const how = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
    const path = await makeSource(
      `${name.replaceAll(/\W/g, '-')}.mp4`,
      ...['-f', 'lavfi', '-i', picture, ...how],
    );
    expect((await planSource(path)).media.video?.fieldOrder).toBe('progressive');
  });

  function lines(bright: string): string {
    return `color=black:s=720x576:r=25:d=1,geq=lum='235*${bright}':cb=128:cr=128`;
  }

  /** The share of the pictures for the encoder in which idet detects fields. */
  async function combs(address: string, odd: object = {}): Promise<number> {
    const plan = await planSource(address);
    const { video } = plan.media;
    if (!video) throw new Error('The plan has no picture.');
    const filters = [...frameFilters({ ...video, ...odd }), 'setfield=prog', 'idet'];
    const argv = ['-nostdin', '-hide_banner', '-i', address, '-vf', filters.join(',')];
    const { stderr } = await run('ffmpeg', [...argv, '-f', 'null', '-']);
    // ffmpeg 7 also prints a line of zeros while it sets up its filters.
    const lines = stderr.matchAll(
      /Multi frame detection: TFF: *(\d+) BFF: *(\d+) Progressive: *(\d+)/g,
    );
    const [, top, bottom, progressive] = [...lines].at(-1) ?? [];
    const fields = Number(top) + Number(bottom);
    return fields / (fields + Number(progressive));
  }
});
