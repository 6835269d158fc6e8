import type { Segment } from './transport-stream.ts';

/** A container format for segments. */
export interface Container {
  /** The suffix of segment file names, without the dot. */
  readonly suffix: string;
  readonly contentType: string;
  /** Ticks per second of the timestamps. */
  readonly clockRate: number;
  /** The timestamp of the asset's time zero, in seconds. */
  readonly offsetSeconds: number;
  /**
   * ffmpeg's options that cut one rendition into segments. `borders` are the frames that begin the second and later
   * segments, counted within the run. `first` is the number of the first segment.
   */
  readonly muxer: (borders: readonly number[], first: number) => readonly string[];
  /**
   * Changes a segment so that segments of separate encodings join without a discontinuity. Throws Error for an invalid
   * segment.
   */
  readonly align: (segment: Uint8Array) => Uint8Array;
  /** Parses a segment of one elementary stream. Throws Error if it is invalid or incomplete. */
  readonly read: (segment: Uint8Array) => Segment;
}
