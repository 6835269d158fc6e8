import type { Rational } from './rational.ts';

/** What is known of an uploaded file: ffprobe's answer, reduced to what the plan needs. */
export interface SourceMedia {
  /** ffmpeg's demuxer, one of DEMUXERS: `mov`, `matroska`, `mpegts` … */
  readonly demuxer: string;
  readonly sizeBytes: number;
  /** The container timestamp that is shown as time zero: the earliest of the chosen streams. */
  readonly startSeconds: number;
  /** From time zero to the end of the last chosen stream. */
  readonly durationSeconds: number;
  readonly video?: SourceVideo;
  readonly audio: readonly SourceAudio[];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface SourceVideo {
  /** ffmpeg's stream index. */
  readonly index: number;
  readonly codec: string;
  /** As decoded, before rotation and sample aspect ratio. */
  readonly coded: Size;
  /** As shown, after rotation and sample aspect ratio; square pixels. */
  readonly display: Size;
  /** Clockwise, as shown. */
  readonly rotation: 0 | 90 | 180 | 270;
  readonly frameRate: Rational;
  readonly variableFrameRate: boolean;
  readonly fieldOrder: 'progressive' | 'top_first' | 'bottom_first';
  readonly transfer: 'sdr' | 'pq' | 'hlg';
  readonly bitDepth: number;
  /** ffmpeg's names, absent where the file does not say. */
  readonly colorPrimaries?: string;
  readonly colorMatrix?: string;
  readonly colorRange?: 'tv' | 'pc';
  readonly startSeconds: number;
  readonly durationSeconds: number;
}

export interface SourceAudio {
  readonly index: number;
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
  /** BCP 47, `und` where the file does not say. */
  readonly language: string;
  readonly title?: string;
  readonly default: boolean;
  readonly startSeconds: number;
  readonly durationSeconds: number;
}
