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

/** The timeline as constant-rate frames. Every border is a frame number that is known before the encoding. */
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
 * Chunks of 30 to 60 s. Each chunk costs CPU time for start-up and pre-roll (4 % for a minute of 1080p). Longer chunks
 * repeat more work after a failure, and fewer workers can share the source.
 */
const SEGMENTS_IN_CHUNK = { min: 5, max: 10 };
/** The number of chunks that a short source is divided into, unless they would become too short. */
const PREFERRED_CHUNKS = 4;

/** A grid for a timeline of that duration, with at least one frame. */
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

/** The segments in order. All have the same length, except that the last one may be shorter. */
export function segmentsOf(grid: Grid): readonly FrameRange[] {
  const { frames, segmentFrames } = grid;
  return Array.from({ length: Math.ceil(frames / segmentFrames) }, (_, index) => {
    const firstFrame = index * segmentFrames;
    return { firstFrame, frames: Math.min(segmentFrames, frames - firstFrame) };
  });
}

/** The chunks in order. Their lengths differ by one segment at most. */
export function chunksOf(grid: Grid): readonly Chunk[] {
  const segments = segmentsOf(grid).length;
  const { min, max } = SEGMENTS_IN_CHUNK;
  const preferred = Math.min(PREFERRED_CHUNKS, Math.floor(segments / min));
  const count = Math.max(1, preferred, Math.ceil(segments / max));
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
