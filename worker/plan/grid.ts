import type { Rational } from './rational.ts';

/** The timeline as constant-rate frames: every border is a frame number known before anything is encoded. */
export interface Grid {
  readonly rate: Rational;
  readonly frames: number;
  readonly gopFrames: number;
  readonly segmentFrames: number;
  readonly chunkFrames: number;
}
