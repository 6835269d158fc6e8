import { createHash } from 'node:crypto';
import { frameSeconds } from '../grid.ts';
import type { FrameRange, Grid } from '../grid.ts';
import type { Size } from '../media.ts';

/**
 * What a run of ffmpeg tells of its pictures beside its output: tiny copies of them, taken where they
 * leave the decoder, where they are on the grid, and where they go to the encoders.
 */

/** A tiny copy, 4:2:0 of 8 bits: luma, then two planes of chroma. */
export const TINY = { width: 32, height: 18, luma: 32 * 18, bytes: (32 * 18 * 3) / 2 } as const;

/** Averages of a few points each: to look at every point would cost as much as a small rendition. */
export const TINY_FILTER = `scale=128:72:flags=neighbor:out_range=tv,scale=${TINY.width}:${TINY.height}:flags=area,format=yuv420p`;

/** The average of all points, for the few pictures that are held against what the encoders made of them. By itself swscale is off by some levels when it makes so little of so much. */
export const KEY_FILTER = `${averageScale(TINY)}:out_range=tv,format=yuv420p`;

/** Scales to averages of all points. */
export function averageScale({ width, height }: Size): string {
  return `scale=${width}:${height}:flags=area+accurate_rnd`;
}

/** The distances of the frames that a segment's first frame is told from. */
export const NEIGHBOURS = [-2, -1, 1, 2] as const;
const REACH = Math.max(...NEIGHBOURS);

/** Keeps the frames of a chunk that `keyFrames` tells of. */
export function selectKeys({ segmentFrames }: Grid): string {
  return `select=lt(mod(n+${REACH}\\,${segmentFrames})\\,${2 * REACH + 1})`;
}

/** The frames of which there are copies by `KEY_FILTER`: the first of each segment, and its neighbours. */
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

/** The tiny copies that a copy of a sheet consists of, row by row. */
export function tilesOf(copy: Uint8Array, { columns, rows }: Sheet): readonly Uint8Array[] {
  return Array.from({ length: columns * rows }, (_, tile) => {
    const [left, top] = [tile % columns, Math.floor(tile / columns)];
    return makeCopy(({ at, width, height }, x, y) => {
      const line = at * columns * rows + (top * height + y) * width * columns;
      return copy[line + left * width + x] ?? 0;
    });
  });
}

/** The tiny copy of a picture of which there is a copy as large as that of a sheet. */
export function shrinkCopy(copy: Uint8Array, { columns, rows }: Sheet): Uint8Array {
  return makeCopy(({ at, width }, x, y) => {
    let sum = 0;
    for (let line = y * rows; line < (y + 1) * rows; line += 1) {
      const start = at * columns * rows + line * width * columns + x * columns;
      for (let point = start; point < start + columns; point += 1) sum += copy[point] ?? 0;
    }
    return Math.round(sum / (columns * rows));
  });
}

type Plane = (typeof PLANES)[number];

function makeCopy(pointOf: (plane: Plane, x: number, y: number) => number): Uint8Array {
  const tiny = new Uint8Array(TINY.bytes);
  for (const plane of PLANES) {
    for (let point = 0; point < plane.width * plane.height; point += 1) {
      const [x, y] = [point % plane.width, Math.floor(point / plane.width)];
      tiny[plane.at + point] = pointOf(plane, x, y);
    }
  }
  return tiny;
}

/** One of the tiny copies that follow each other. */
export function copyAt(copies: Uint8Array, index: number): Uint8Array {
  return copies.subarray(index * TINY.bytes, (index + 1) * TINY.bytes);
}

/** As `framemd5` tells pictures from others. */
export function copyHash(copy: Uint8Array): string {
  return createHash('md5').update(copy).digest('hex');
}

/** The files of a video unit's witness, in its scratch folder. */
export const REFERENCE_FILES = {
  source: 'source.framemd5',
  grid: 'grid.yuv',
  shown: 'shown.yuv',
  keys: 'keys.yuv',
} as const;

/** Ticks a second of the source's times; a decoder's times would be rounded to whole frames by themselves. */
const SOURCE_CLOCK = 1_000_000;

/** The outputs that follow those of the encoders. */
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
 * Ends the source's pictures when they are of no more use to a chunk. A picture that begins later stands
 * in the whole chunk when it is the first of all: it is kept, as if it began just behind the chunk.
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
  /** Tells a picture from others: of its tiny copy. */
  readonly hash: string;
}

/** Reads the text of ffmpeg's framemd5: https://ffmpeg.org/ffmpeg-formats.html#framemd5 */
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
