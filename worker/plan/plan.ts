import { createHash } from 'node:crypto';
import { z } from 'zod';
import { leftOutSchema } from '../../core/model/left-out.ts';
import { skippedSchema } from '../../core/model/ladder.ts';
import type { Parsed } from '../../core/model/schema.ts';
import { unitSchema } from '../../core/model/units.ts';
import { gridSchema } from './grid.ts';
import { count, mediaSchema, name, size, sizeSchema } from './media.ts';

/** Increases when the fields of a plan change: an older worker leaves a newer plan alone, a newer one plans again. */
export const PLAN_SCHEMA = 2;

const renditionSchema = z.object({
  /** The rung's name, also in keys: `720p`. */
  name,
  ...size,
  /** Bits/s. */
  maxBitRate: count,
  bufferBits: count,
});

/** A rung of the ladder, applied to a source. */
export type Rendition = Parsed<typeof renditionSchema>;

const gainsSchema = z.object({ left: z.array(z.number()), right: z.array(z.number()) });

/** What each channel of a stream adds to the left and to the right. */
export type Gains = Parsed<typeof gainsSchema>;

const trackSchema = z.object({
  /** `audio-0`, also in keys. */
  name,
  /** The source's streams that hold its channels. Without gains, ffmpeg mixes them down. */
  streams: z.array(z.object({ index: count, gains: gainsSchema.exactOptional() })),
  language: name,
  /** What a player's menu shows; unique within the asset. */
  label: name,
  default: z.boolean(),
  channels: z.union([z.literal(1), z.literal(2)]),
  bitRate: count,
});

/** One sound of the source as an HLS audio rendition. */
export type AudioTrack = Parsed<typeof trackSchema>;

/** Sprite sheets: `columns` × `rows` tiles each, a tile every `intervalSeconds`. */
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
  /** Absent for sound alone. */
  storyboard: storyboardSchema.exactOptional(),
});
export type ImagePlan = Parsed<typeof imagesSchema>;

const planSchema = z.object({
  schema: z.literal(PLAN_SCHEMA),
  jobId: name,
  assetId: name,
  source: z.object({ bucket: name, key: name, etag: name, sizeBytes: count }),
  /** The asset's title, unless it was given another one: see core/catalog/pointer.ts. */
  title: z.string(),
  media: mediaSchema,
  durationSeconds: z.number().positive(),
  /** The container's timestamp that is shown as time zero. */
  originSeconds: z.number(),
  /** Exact segment durations follow from the grid. A plan for sound alone has a grid of 50 frames/s and no renditions. */
  grid: gridSchema,
  renditions: z.array(renditionSchema),
  skipped: z.array(skippedSchema.extend({ rung: name })),
  audio: z.array(trackSchema),
  /** Streams of the source that are not in the asset. */
  leftOut: leftOutSchema,
  images: imagesSchema,
  units: z.array(unitSchema),
  /** The effort and the quality of the video encoder. */
  encoder: z.object({ preset: name, crf: count }),
});

/**
 * The immutable decision record of a job. It depends on the source and the options only. The order of its fields is part
 * of the version's hash.
 */
export type Plan = Parsed<typeof planSchema>;

/** One version of one uploaded object. */
export type SourceObject = Plan['source'];

/**
 * Names the files that a plan publishes, 16 hex digits: the same source, options and settings give the same
 * version, whatever job asked for it. The title is in none of these files, so that it can change without them.
 */
export function planVersion(plan: Plan): string {
  // In the order of the schema: the same for a plan that was just made as for one that was read back.
  const { jobId: _job, title: _title, ...decided } = parsePlan(plan);
  return createHash('sha256').update(JSON.stringify(decided)).digest('hex').slice(0, 16);
}

/** Reads a stored plan. Throws ZodError, which names every wrong field. */
export function parsePlan(json: unknown): Plan {
  return planSchema.parse(json);
}
