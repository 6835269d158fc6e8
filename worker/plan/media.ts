import { z } from 'zod';
import { leftOutSchema } from '../../core/model/left-out.ts';
import type { Parsed } from '../../core/model/schema.ts';
import { TURNS } from './turn.ts';

/** The properties of an uploaded file, as plans store them. The order of the fields affects a version's hash. */

export const count = z.number().int().min(0);
export const name = z.string().min(1);
const positive = z.number().int().positive();

export const fractionSchema = z.object({ num: count, den: positive });

export const size = { width: positive, height: positive };
export const sizeSchema = z.object(size);
export type Size = Parsed<typeof sizeSchema>;

const ratesSchema = z.object({
  /** ffprobe's avg_frame_rate: frames by duration. */
  average: fractionSchema.exactOptional(),
  /** ffprobe's r_frame_rate: the lowest rate that can express every timestamp. */
  base: fractionSchema.exactOptional(),
  /** Frames per second between most neighbouring frames: measured where the two above do not settle the rate. */
  pace: z.number().positive().exactOptional(),
});
export type SourceRates = Parsed<typeof ratesSchema>;

const videoSchema = z.object({
  /** ffmpeg's stream index. */
  index: count,
  codec: name,
  /** As shown, after rotation and sample aspect ratio; square pixels. */
  display: sizeSchema,
  /** From the decoded picture to the one that is shown. */
  turn: z.enum(TURNS),
  rates: ratesSchema,
  variableFrameRate: z.boolean(),
  fieldOrder: z.enum(['progressive', 'top_first', 'bottom_first']),
  /** Each frame is flagged as interlaced or not; otherwise all are interlaced. */
  fieldsFlagged: z.boolean(),
  /** Frames have different sizes or shapes; `display` is the largest. */
  resized: z.boolean(),
  transfer: z.enum(['sdr', 'pq', 'hlg']),
  bitDepth: count,
  /** Red, green and blue rather than luma and chroma. */
  rgb: z.boolean(),
  /** Parts of the picture can be transparent. */
  alpha: z.boolean(),
  /** ffmpeg's names of the colours, absent where the file does not declare them. */
  colorPrimaries: z.string().exactOptional(),
  colorTransfer: z.string().exactOptional(),
  colorMatrix: z.string().exactOptional(),
  colorRange: z.enum(['tv', 'pc']).exactOptional(),
});
export type SourceVideo = Parsed<typeof videoSchema>;

/** One sound: a stream, or several streams that hold its channels. */
const audioSchema = z.object({
  /** `index` is ffmpeg's stream index. */
  streams: z.array(z.object({ index: count, channels: count })),
  codec: name,
  /** Of all streams together. */
  channels: count,
  /** ffmpeg's names of the speakers, one for each channel; absent where the file does not declare them. */
  speakers: z.array(name).exactOptional(),
  sampleRate: count,
  /** BCP 47, `und` where the file does not declare one. */
  language: name,
  title: z.string().exactOptional(),
  default: z.boolean(),
});
export type SourceAudio = Parsed<typeof audioSchema>;

/** How ffmpeg has to open a source. */
const openingSchema = z.object({
  /**
   * Streams begin so late that ffmpeg has to look at a minute or 50 MB of the file (a deep probe). The name of the
   * field is that of stored plans.
   */
  late: z.boolean(),
  /** The edit list of an MP4 contradicts the rest of its header, and is ignored. */
  ignoreEdits: z.boolean(),
});
export type Opening = Parsed<typeof openingSchema>;

export const mediaSchema = z.object({
  /** ffmpeg's demuxer, one of DEMUXERS. */
  demuxer: name,
  opening: openingSchema,
  sizeBytes: count,
  /** When the first of the chosen streams begins, on the container's clock. */
  startSeconds: z.number(),
  /** From `startSeconds` to the end of the last chosen stream. */
  durationSeconds: z.number().positive(),
  /** When the first picture is shown, on the container's clock. */
  pictureSeconds: z.number().exactOptional(),
  video: videoSchema.exactOptional(),
  /** The still picture that comes with sound alone. */
  cover: videoSchema.exactOptional(),
  audio: z.array(audioSchema),
  /** All other streams. */
  leftOut: leftOutSchema,
});

/** An uploaded file: the answers of ffprobe, reduced to what planning needs. */
export type SourceMedia = Parsed<typeof mediaSchema>;

/** The largest source that is accepted. */
export interface SourceLimits {
  readonly maxDurationSeconds: number;
  readonly maxSizeBytes: number;
  readonly maxPicturePixels: number;
}
