import type { Segment } from './transport-stream.ts';

/** The container of segments. */
export interface Container {
  /** Of the names of segments, without the dot. */
  readonly suffix: string;
  readonly contentType: string;
  /** Ticks per second of the segments' clock. */
  readonly clockRate: number;
  /** Time zero of the asset on the segments' clock, in seconds. */
  readonly offsetSeconds: number;
  /** ffmpeg's options that cut one rendition into segments, numbered from `first`; a border is the frame that begins the next segment. */
  readonly muxer: (borders: readonly number[], first: number) => readonly string[];
  /** Makes segments that were encoded apart follow each other without a seam. Throws Error for bytes that are no segment. */
  readonly align: (segment: Uint8Array) => Uint8Array;
  /** Reads a segment of one elementary stream. Throws Error when a part of it is missing. */
  readonly read: (segment: Uint8Array) => Segment;
}
