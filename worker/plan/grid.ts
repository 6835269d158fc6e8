import type { Rational } from './rational.ts';

/** The timeline as constant-rate frames: every border is a frame number known before anything is encoded. */
export interface Grid {
  readonly rate: Rational;
  readonly frames: number;
  readonly gopFrames: number;
  readonly segmentFrames: number;
  readonly chunkFrames: number;
}

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
/** A minute: shorter chunks cost CPU for start-up and pre-roll, longer ones more to redo and less to share. */
const SEGMENTS_IN_CHUNK = 10;

/** Lays the grid over so many seconds; at least one frame. */
export function makeGrid(rate: Rational, durationSeconds: number): Grid {
  const gopFrames = Math.max(1, Math.round((GOP_SECONDS * rate.num) / rate.den));
  const segmentFrames = gopFrames * GOPS_IN_SEGMENT;
  return {
    rate,
    frames: Math.max(1, Math.round((durationSeconds * rate.num) / rate.den)),
    gopFrames,
    segmentFrames,
    chunkFrames: segmentFrames * SEGMENTS_IN_CHUNK,
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

/**
 * The chunks in order. What is left at the end and shorter than a segment goes with the chunk
 * before: a unit of a few frames costs more than it helps.
 */
export function chunksOf(grid: Grid): readonly Chunk[] {
  const segments = segmentsOf(grid);
  const count = Math.max(1, Math.ceil((grid.frames - grid.segmentFrames + 1) / grid.chunkFrames));
  const each = grid.chunkFrames / grid.segmentFrames;
  return Array.from({ length: count }, (_, index) => {
    const firstSegment = index * each;
    const end = index === count - 1 ? segments.length : firstSegment + each;
    const firstFrame = firstSegment * grid.segmentFrames;
    return {
      firstFrame,
      frames: Math.min(grid.frames, end * grid.segmentFrames) - firstFrame,
      firstSegment,
      segments: end - firstSegment,
    };
  });
}
