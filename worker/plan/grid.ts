import { z } from 'zod';
import type { Parsed } from '../../core/model/schema.ts';
import { fractionSchema } from './media.ts';
import type { Rational } from './rational.ts';

export const gridSchema = z.object({
  rate: fractionSchema,
  frames: z.number().int().positive(),
  gopFrames: z.number().int().positive(),
  segmentFrames: z.number().int().positive(),
});

/** The timeline as constant-rate frames: every border is a frame number known before anything is encoded. */
export type Grid = Parsed<typeof gridSchema>;

export interface FrameRange {
  readonly firstFrame: number;
  readonly frames: number;
}

export interface Chunk extends FrameRange {
  readonly firstSegment: number;
  readonly segments: number;
}

/** Apple's authoring rules: a key frame every 2 s (1.13), segments of 6 s (7.5). */
const GOP_SECONDS = 2;
const GOPS_IN_SEGMENT = 3;
/**
 * Half a minute to a minute: each further chunk costs CPU for start-up and pre-roll (4 % in a minute
 * of 1080p), a longer one is more to redo and less to share.
 */
const SEGMENTS_IN_CHUNK = { least: 5, most: 10 };
/** Workers that a source is shared by, where its chunks do not become too short for it. */
const SHARES = 4;

/** Lays the grid over so many seconds; at least one frame. */
export function makeGrid(rate: Rational, durationSeconds: number): Grid {
  const gopFrames = Math.max(1, Math.round((GOP_SECONDS * rate.num) / rate.den));
  const segmentFrames = gopFrames * GOPS_IN_SEGMENT;
  return {
    rate,
    frames: Math.max(1, Math.round((durationSeconds * rate.num) / rate.den)),
    gopFrames,
    segmentFrames,
  };
}

/** When a frame is shown, in seconds from the start of the asset. */
export function frameSeconds({ rate }: Grid, frame: number): number {
  return (frame * rate.den) / rate.num;
}

/** The segments in order: all alike but the last, which may be shorter. */
export function segmentsOf(grid: Grid): readonly FrameRange[] {
  const { frames, segmentFrames } = grid;
  return Array.from({ length: Math.ceil(frames / segmentFrames) }, (_, index) => {
    const firstFrame = index * segmentFrames;
    return { firstFrame, frames: Math.min(segmentFrames, frames - firstFrame) };
  });
}

/** The chunks in order, alike but for a segment. */
export function chunksOf(grid: Grid): readonly Chunk[] {
  const segments = segmentsOf(grid).length;
  const { least, most } = SEGMENTS_IN_CHUNK;
  const shares = Math.min(SHARES, Math.floor(segments / least));
  const count = Math.max(1, shares, Math.ceil(segments / most));
  return Array.from({ length: count }, (_, index) => {
    const firstSegment = Math.floor((index * segments) / count);
    const end = Math.floor(((index + 1) * segments) / count);
    const firstFrame = firstSegment * grid.segmentFrames;
    return {
      firstFrame,
      frames: Math.min(grid.frames, end * grid.segmentFrames) - firstFrame,
      firstSegment,
      segments: end - firstSegment,
    };
  });
}
