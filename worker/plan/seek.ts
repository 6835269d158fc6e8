import { frameSeconds } from './grid.ts';
import type { Plan } from './plan.ts';

/** How far before a frame to look for a key frame, in seconds, one after the other. */
const STEPS_SECONDS = [0, 4, 16, 64, 256];

/** A position to seek to, and the end of the interval in which a key frame has to follow, on the container's clock. */
export interface SeekCandidate {
  readonly from: number;
  readonly latest: number;
}

/**
 * The positions from which decoding may be complete at a frame of the grid, the nearest first. None for the start of the
 * source, which is decoded without a seek.
 */
export function seekCandidates(
  { media, grid, originSeconds }: Pick<Plan, 'media' | 'grid' | 'originSeconds'>,
  firstFrame: number,
): readonly SeekCandidate[] {
  if (firstFrame === 0 || !media.video) return [];
  const wanted = originSeconds + frameSeconds(grid, firstFrame);
  // Each picture goes to the nearest frame of the grid.
  const latest = wanted + frameSeconds(grid, 1) / 2;
  return STEPS_SECONDS.map((step) => ({ from: wanted - step, latest })).filter(
    ({ from }) => from > media.startSeconds,
  );
}
