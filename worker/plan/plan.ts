import { createHash } from 'node:crypto';
import { z } from 'zod';
import { skippedSchema } from '../../core/model/ladder.ts';
import { leftOutSchema } from '../../core/model/left-out.ts';
import type { Parsed } from '../../core/model/schema.ts';
import { unitSchema } from '../../core/model/units.ts';
import { gridSchema } from './grid.ts';
import { count, mediaSchema, name, size, sizeSchema } from './media.ts';

/**
 * Increase it when the fields of a plan change. A worker leaves plans with a higher number to newer workers, and
 * replaces plans with a lower one.
 */
export const PLAN_SCHEMA = 2;

const renditionSchema = z.object({
  /** The rung's name, also used in keys: `720p`. */
  name,
  ...size,
  /** Bits/s. */
  maxBitRate: count,
  bufferBits: count,
});

/** A rung of the ladder, applied to a source. */
export type Rendition = Parsed<typeof renditionSchema>;

const gainsSchema = z.object({ left: z.array(z.number()), right: z.array(z.number()) });

/** The gain of each channel of a stream in the left and in the right output channel. */
export type Gains = Parsed<typeof gainsSchema>;

const trackSchema = z.object({
  /** Also used in keys: `audio-0`. */
  name,
  /** The source's streams that hold its channels. Without gains, ffmpeg chooses the downmix. */
  streams: z.array(z.object({ index: count, gains: gainsSchema.exactOptional() })),
  language: name,
  /** Shown in the player's menu; unique within the asset. */
  label: name,
  default: z.boolean(),
  channels: z.union([z.literal(1), z.literal(2)]),
  bitRate: count,
});

/** An HLS audio rendition. */
export type AudioTrack = Parsed<typeof trackSchema>;

/** Sprite sheets of `columns` × `rows` tiles, with one tile every `intervalSeconds`. */
const storyboardSchema = z.object({
  tile: sizeSchema,
  columns: count,
  rows: count,
  intervalSeconds: z.number().positive(),
  tiles: z.number().int().positive(),
});
export type Storyboard = Parsed<typeof storyboardSchema>;

const imagesSchema = z.object({
  thumbnails: z.array(sizeSchema),
  poster: sizeSchema,
  /** Absent for audio-only assets. */
  storyboard: storyboardSchema.exactOptional(),
});
export type ImagePlan = Parsed<typeof imagesSchema>;

const planSchema = z.object({
  schema: z.literal(PLAN_SCHEMA),
  jobId: name,
  assetId: name,
  source: z.object({ bucket: name, key: name, etag: name, sizeBytes: count }),
  /** The asset's title until somebody renames it: see core/catalog/pointer.ts. */
  title: z.string(),
  media: mediaSchema,
  durationSeconds: z.number().positive(),
  /** The container's timestamp that is shown as time zero. */
  originSeconds: z.number(),
  /** All segment durations follow from the grid. Audio-only plans have a grid of 50 frames/s and no renditions. */
  grid: gridSchema,
  renditions: z.array(renditionSchema),
  skipped: z.array(skippedSchema.extend({ rung: name })),
  audio: z.array(trackSchema),
  /** Streams of the source that are not in the asset. */
  leftOut: leftOutSchema,
  images: imagesSchema,
  units: z.array(unitSchema),
  /** The video encoder's preset and constant rate factor. */
  encoder: z.object({ preset: name, crf: count }),
});

/**
 * The immutable record of all decisions of a job. It depends only on the source, the options and the settings. The
 * order of its fields is part of the version's hash.
 */
export type Plan = Parsed<typeof planSchema>;

/** An uploaded object, with the ETag of one of its contents. */
export type SourceObject = Plan['source'];

/**
 * The version that a plan publishes, as 16 hex digits. The same source, options and settings give the same version for
 * every job. No file below the version contains the title, so the title can change without a new version.
 */
export function planVersion(plan: Plan): string {
  // Parsing puts the fields in the order of the schema, for new plans as for stored ones.
  const { jobId: _job, title: _title, ...decided } = parsePlan(plan);
  return createHash('sha256').update(JSON.stringify(decided)).digest('hex').slice(0, 16);
}

/** Parses a stored plan. Throws ZodError, which names every invalid field. */
export function parsePlan(json: unknown): Plan {
  return planSchema.parse(json);
}
