import { createHash } from 'node:crypto';
import { frameSeconds } from '../grid.ts';
import type { FrameRange, Grid } from '../grid.ts';

/**
 * What a run of ffmpeg tells of its pictures beside its output: tiny copies of them, taken where they
 * leave the decoder, where they are on the grid, and where they go to the encoders.
 */

/** A tiny copy, 4:2:0 of 8 bits: luma, then two planes of chroma. */
export const TINY = { width: 32, height: 18, luma: 32 * 18, bytes: (32 * 18 * 3) / 2 } as const;

/** Averages of a few points each: to look at every point would cost as much as a small rendition. */
export const TINY_FILTER = `scale=128:72:flags=neighbor:out_range=tv,scale=${TINY.width}:${TINY.height}:flags=area,format=yuv420p`;

/** The average of all points, for the few pictures that are held against what the encoders made of them. By itself swscale is off by some levels when it makes so little of so much. */
export const KEY_FILTER = `scale=${TINY.width}:${TINY.height}:flags=area+accurate_rnd:out_range=tv,format=yuv420p`;

/** One of the tiny copies that follow each other. */
export function tinyAt(copies: Uint8Array, index: number): Uint8Array {
  return copies.subarray(index * TINY.bytes, (index + 1) * TINY.bytes);
}

/** As `framemd5` tells pictures from others. */
export function tinyHash(copy: Uint8Array): string {
  return createHash('md5').update(copy).digest('hex');
}

/** The files of a video unit's witness, in its scratch folder. */
export const WITNESS_FILES = {
  source: 'source.framemd5',
  grid: 'grid.yuv',
  shown: 'shown.yuv',
  keys: 'keys.yuv',
} as const;

/** Ticks a second of the source's times; a decoder's times would be rounded to whole frames by themselves. */
const SOURCE_CLOCK = 1_000_000;

/** The outputs that follow those of the encoders. */
export function witnessOutputs(directory: string): readonly string[] {
  const output = (name: keyof typeof WITNESS_FILES, ...options: readonly string[]) => [
    ...['-map', `[${name}]`, '-fps_mode', 'passthrough', ...options],
    `file:${directory}/${WITNESS_FILES[name]}`,
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
export function untilEnd(grid: Grid, { firstFrame, frames }: FrameRange): string {
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
