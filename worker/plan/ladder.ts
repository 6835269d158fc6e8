import type { Size } from './source.ts';

/** A step of the ladder, named by its short side; bit rates in bits/s. */
export interface Rung {
  readonly name: string;
  readonly shortSide: number;
  readonly maxBitRate: number;
}

/** A rung applied to a source. */
export interface Rendition extends Size {
  /** The rung's name, also in keys: `720p`. */
  readonly name: string;
  readonly maxBitRate: number;
  readonly bufferBits: number;
}

/** A rung that was left out, and why. */
export interface Skipped {
  readonly rung: string;
  readonly reason: 'larger_than_source' | 'same_size_as_another';
}
