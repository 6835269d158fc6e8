import type { AudioTrack, Plan, Rendition } from '../plan.ts';

/** An encoder of pictures, and what it makes. */
export interface VideoCodec {
  /** ffmpeg's options that encode one rendition, one token each. The bytes have to be the same on every run. */
  readonly encoder: (plan: Plan, rendition: Rendition) => readonly string[];
  /** ffmpeg's name of the stream without a container. */
  readonly format: string;
  /** Matches the entries of CODECS (RFC 6381) that players are promised. */
  readonly codecs: RegExp;
  /** The longest side of a picture that can be encoded, in pixels. */
  readonly longestSide: number;
  /** The share by which the encoder may exceed its rate limit. */
  readonly rateTolerance: number;
}

/** An encoder of sound, and what it makes. */
export interface AudioCodec {
  readonly encoder: (track: AudioTrack) => readonly string[];
  readonly format: string;
  /** The entry of CODECS (RFC 6381). */
  readonly codecs: string;
  readonly sampleRate: number;
  /** Samples in a frame. The encoder's first frame comes before time zero. */
  readonly frameSamples: number;
}
