import type { AudioTrack, Plan, Rendition } from '../plan.ts';

/** A video encoder and its output. */
export interface VideoCodec {
  /** ffmpeg's options that encode one rendition, one token each. Every run must give the same bytes. */
  readonly encoder: (plan: Plan, rendition: Rendition) => readonly string[];
  /** ffmpeg's name of the elementary stream's format (`-f`), which decodes its key frames without a container. */
  readonly format: string;
  /** Matches every CODECS entry (RFC 6381) that the encoder may produce. */
  readonly codecs: RegExp;
  /** The maximum width and height, in pixels. */
  readonly longestSide: number;
  /**
   * The share of the buffer size by which the encoder may exceed its rate limit: 0.5 allows one and a half times the
   * buffer.
   */
  readonly rateTolerance: number;
}

/** An audio encoder and its output. */
export interface AudioCodec {
  /** ffmpeg's options that encode one track, one token each. */
  readonly encoder: (track: AudioTrack) => readonly string[];
  /** ffmpeg's name of the elementary stream's format (`-f`). */
  readonly format: string;
  /** The CODECS entry (RFC 6381). */
  readonly codecs: string;
  /** Hz. */
  readonly sampleRate: number;
  /** Samples in a frame. The encoder's first frame is priming, before time zero. */
  readonly frameSamples: number;
}
