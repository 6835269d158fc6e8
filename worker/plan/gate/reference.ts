import { createHash } from 'node:crypto';
import { frameSeconds } from '../grid.ts';
import type { FrameRange, Grid } from '../grid.ts';
import type { Size } from '../media.ts';

// References for the gate. Next to its output, each run of ffmpeg writes tiny copies of its pictures: after the
// decoder, on the grid, and before the encoders.

/** A tiny copy: 8-bit 4:2:0, a plane of luma and two planes of chroma. */
export const TINY = { width: 32, height: 18, luma: 32 * 18, bytes: (32 * 18 * 3) / 2 } as const;

/** Makes tiny copies from a sample of the pixels. Averaging all pixels would cost as much as a small rendition. */
export const TINY_FILTER = `scale=128:72:flags=neighbor:out_range=tv,scale=${TINY.width}:${TINY.height}:flags=area,format=yuv420p`;

/**
 * Makes tiny copies by averaging all pixels, for the few pictures that are compared with encoded ones. Without
 * `accurate_rnd`, swscale is off by several levels at this ratio.
 */
export const KEY_FILTER = `${averageScale(TINY)}:out_range=tv,format=yuv420p`;

/** Scales by averaging all pixels. */
export function averageScale({ width, height }: Size): string {
  return `scale=${width}:${height}:flags=area+accurate_rnd`;
}

/** The frames around a picture that the gate also compares it with, to detect a shift. */
export const NEIGHBOURS = [-2, -1, 1, 2] as const;
const REACH = Math.max(...NEIGHBOURS);

/** A filter that keeps the frames that `keyFrames` lists. */
export function selectKeys({ segmentFrames }: Grid): string {
  return `select=lt(mod(n+${REACH}\\,${segmentFrames})\\,${2 * REACH + 1})`;
}

/** The frames of a chunk that are copied by `KEY_FILTER`: the first one of each segment, and its neighbours. */
export function keyFrames({ segmentFrames }: Grid, frames: number): readonly number[] {
  return Array.from({ length: frames }, (_, frame) => frame).filter(
    (frame) => (frame + REACH) % segmentFrames < 2 * REACH + 1,
  );
}

/** The planes of a tiny copy. */
const PLANES = [
  { at: 0, width: TINY.width, height: TINY.height },
  { at: TINY.luma, width: TINY.width / 2, height: TINY.height / 2 },
  { at: (TINY.luma * 5) / 4, width: TINY.width / 2, height: TINY.height / 2 },
];

interface Sheet {
  readonly columns: number;
  readonly rows: number;
}

/** The tiny copies of all tiles of a sheet, row by row. */
export function tilesOf(copy: Uint8Array, { columns, rows }: Sheet): readonly Uint8Array[] {
  return Array.from({ length: columns * rows }, (_, tile) => {
    const [left, top] = [tile % columns, Math.floor(tile / columns)];
    return makeCopy(({ at, width, height }, x, y) => {
      const line = at * columns * rows + (top * height + y) * width * columns;
      return copy[line + left * width + x] ?? 0;
    });
  });
}

/** Shrinks a copy of the size of a sheet's to a tiny copy. */
export function shrinkCopy(copy: Uint8Array, { columns, rows }: Sheet): Uint8Array {
  return makeCopy(({ at, width }, x, y) => {
    let sum = 0;
    for (let line = y * rows; line < (y + 1) * rows; line += 1) {
      const start = at * columns * rows + line * width * columns + x * columns;
      for (let pixel = start; pixel < start + columns; pixel += 1) sum += copy[pixel] ?? 0;
    }
    return Math.round(sum / (columns * rows));
  });
}

type Plane = (typeof PLANES)[number];

function makeCopy(pixelAt: (plane: Plane, x: number, y: number) => number): Uint8Array {
  const tiny = new Uint8Array(TINY.bytes);
  for (const plane of PLANES) {
    for (let pixel = 0; pixel < plane.width * plane.height; pixel += 1) {
      const [x, y] = [pixel % plane.width, Math.floor(pixel / plane.width)];
      tiny[plane.at + pixel] = pixelAt(plane, x, y);
    }
  }
  return tiny;
}

/** One of several concatenated tiny copies. */
export function copyAt(copies: Uint8Array, index: number): Uint8Array {
  return copies.subarray(index * TINY.bytes, (index + 1) * TINY.bytes);
}

/** The hash that ffmpeg's `framemd5` gives for the same copy. */
export function copyHash(copy: Uint8Array): string {
  return createHash('md5').update(copy).digest('hex');
}

/** The reference files of a video unit, in its scratch folder. */
export const REFERENCE_FILES = {
  source: 'source.framemd5',
  grid: 'grid.yuv',
  shown: 'shown.yuv',
  keys: 'keys.yuv',
} as const;

/** Ticks per second of the source's times. With the default time base, they would be rounded to whole frames. */
const SOURCE_CLOCK = 1_000_000;

/** ffmpeg's options for the reference files. */
export function referenceOutputs(directory: string): readonly string[] {
  const output = (name: keyof typeof REFERENCE_FILES, ...options: readonly string[]) => [
    ...['-map', `[${name}]`, '-fps_mode', 'passthrough', ...options],
    `file:${directory}/${REFERENCE_FILES[name]}`,
  ];
  return [
    ...output('source', '-enc_time_base', `1:${SOURCE_CLOCK}`, '-f', 'framemd5'),
    ...output('grid', '-c:v', 'rawvideo', '-f', 'rawvideo'),
    ...output('shown', '-c:v', 'rawvideo', '-f', 'rawvideo'),
    ...output('keys', '-c:v', 'rawvideo', '-f', 'rawvideo'),
  ];
}

/**
 * A filter that ends the decoded pictures after the chunk. If the first picture of all begins later, it fills the whole
 * chunk: it is kept, with a time just after the chunk.
 */
export function trimSource(grid: Grid, { firstFrame, frames }: FrameRange): string {
  const [latest, end] = [0.5, 1].map((more) =>
    frameSeconds(grid, firstFrame + frames + more).toFixed(6),
  );
  return `setpts=if(eq(N\\,0)\\,min(PTS\\,${latest}/TB)\\,PTS),trim=end=${end}`;
}

export interface SourcePicture {
  /** On the asset's clock. */
  readonly seconds: number;
  /** The hash of its tiny copy. */
  readonly hash: string;
}

/** Parses the output of framemd5: https://ffmpeg.org/ffmpeg-formats.html#framemd5 */
export function parseFrames(text: string): readonly SourcePicture[] {
  const [, num, den] = /^#tb 0: (\d+)\/(\d+)$/m.exec(text) ?? [];
  const tick = Number(num) / Number(den);
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const fields = line.split(',').map((field) => field.trim());
      return { seconds: Number(fields[2]) * tick, hash: fields[5] ?? '' };
    });
}
