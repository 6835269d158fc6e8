import * as z from 'zod';
import { skippedSchema } from './ladder.ts';
import { leftOutSchema } from './left-out.ts';
import { endCodeSchema } from './rejections.ts';
import type { Parsed } from './schema.ts';

const source = z.object({ bucket: z.string(), key: z.string() });

export const assetSchema = z.object({
  schema: z.literal(1),
  assetId: z.string(),
  version: z.string(),
  source,
  durationSeconds: z.number(),
  playlist: z.string(),
  poster: z.string().optional(),
  thumbnails: z.array(z.string()),
  storyboard: z.string().optional(),
  renditions: z.array(
    z.object({
      name: z.string(),
      width: z.number(),
      height: z.number(),
      codecs: z.string(),
      /** Bits/s, measured, of the video without its sound. */
      peakBitRate: z.number(),
      averageBitRate: z.number(),
      bytes: z.number(),
    }),
  ),
  audio: z.array(
    z.object({
      name: z.string(),
      label: z.string(),
      /** BCP 47. */
      language: z.string(),
      averageBitRate: z.number(),
      bytes: z.number(),
    }),
  ),
  skipped: z.array(skippedSchema),
  /** Streams of the source that are not in the asset. Documents written before this field existed lack it. */
  leftOut: leftOutSchema.default([]),
  /** All segments and images. */
  bytes: z.number(),
});

/**
 * `asset.json`: what a site's backend needs to know about one version of an asset. Paths are keys of the delivery
 * bucket. The title is not part of it: it can change without a new version, and is stored with the pointer.
 */
export type AssetDocument = Parsed<typeof assetSchema>;

const ready = assetSchema.extend({
  type: z.literal('asset.ready'),
  jobId: z.string(),
  title: z.string(),
  /** Seconds that workers spent on the units, added up. */
  spentSeconds: z.number(),
});

const event = z.union([
  ready,
  z.object({
    type: z.enum(['asset.rejected', 'asset.failed']),
    jobId: z.string(),
    assetId: z.string(),
    source,
    code: endCodeSchema,
    /** A sentence for the person who uploaded the file. */
    reason: z.string(),
  }),
]);

export type ReadyEvent = Parsed<typeof ready>;

/** How a job ended: a message of the event queue, and the job's stored result. */
export type AssetEvent = Parsed<typeof event>;

/** Reads asset.json. Throws ZodError, which names every wrong field. */
export function parseAsset(json: unknown): AssetDocument {
  return assetSchema.parse(json);
}

/** Reads an event or a job's result. Throws ZodError, which names every wrong field. */
export function parseAssetEvent(json: unknown): AssetEvent {
  return event.parse(json);
}
