import { z } from 'zod';
import { leftOutSchema } from './left-out.ts';
import type { LeftOut } from './left-out.ts';
import type { Skipped } from './ladder.ts';
import { endCodeSchema } from './rejections.ts';
import type { RejectionCode } from './rejections.ts';

/**
 * `asset.json`: what a site's backend needs to know of a version of an asset. Paths are keys of the delivery
 * bucket. The title may change while the version stays, and stands with the pointer.
 */
export interface AssetDocument {
  readonly schema: 1;
  readonly assetId: string;
  readonly version: string;
  readonly source: { readonly bucket: string; readonly key: string };
  readonly durationSeconds: number;
  readonly playlist: string;
  readonly poster?: string | undefined;
  readonly thumbnails: readonly string[];
  readonly storyboard?: string | undefined;
  readonly renditions: readonly {
    readonly name: string;
    readonly width: number;
    readonly height: number;
    readonly codecs: string;
    /** Bits/s, measured, without sound. */
    readonly peakBitRate: number;
    readonly averageBitRate: number;
    readonly bytes: number;
  }[];
  readonly audio: readonly {
    readonly name: string;
    readonly label: string;
    readonly language: string;
    readonly averageBitRate: number;
    readonly bytes: number;
  }[];
  readonly skipped: readonly Skipped[];
  /** Streams of the source that the asset has nothing of. */
  readonly leftOut: readonly LeftOut[];
  /** All segments and images. */
  readonly bytes: number;
}

/** What is told on the events queue, and kept as the job's result. */
export type AssetEvent =
  | ({
      readonly type: 'asset.ready';
      readonly jobId: string;
      readonly title: string;
      /** Seconds that workers spent on the units, added up. */
      readonly spentSeconds: number;
    } & AssetDocument)
  | {
      readonly type: 'asset.rejected' | 'asset.failed';
      readonly jobId: string;
      readonly assetId: string;
      readonly source: { readonly bucket: string; readonly key: string };
      /** A RejectionCode, or `failed`. */
      readonly code: RejectionCode | 'failed';
      /** A sentence for the person who uploaded the file. */
      readonly reason: string;
    };

export type ReadyEvent = Extract<AssetEvent, { readonly type: 'asset.ready' }>;

const documentSchema = z.object({
  schema: z.literal(1),
  assetId: z.string(),
  version: z.string(),
  source: z.object({ bucket: z.string(), key: z.string() }),
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
      peakBitRate: z.number(),
      averageBitRate: z.number(),
      bytes: z.number(),
    }),
  ),
  audio: z.array(
    z.object({
      name: z.string(),
      label: z.string(),
      language: z.string(),
      averageBitRate: z.number(),
      bytes: z.number(),
    }),
  ),
  skipped: z.array(
    z.object({ rung: z.string(), reason: z.enum(['larger_than_source', 'same_size_as_another']) }),
  ),
  // Assets that were published before have none.
  leftOut: leftOutSchema.default([]),
  bytes: z.number(),
});

const endedSchema = z.object({
  type: z.enum(['asset.rejected', 'asset.failed']),
  jobId: z.string(),
  assetId: z.string(),
  source: z.object({ bucket: z.string(), key: z.string() }),
  code: endCodeSchema,
  reason: z.string(),
});

const eventSchema = z.union([
  documentSchema.extend({
    type: z.literal('asset.ready'),
    jobId: z.string(),
    title: z.string(),
    spentSeconds: z.number(),
  }),
  endedSchema,
]);

/** Reads asset.json. Throws ZodError, which names every field that is wrong. */
export function parseAsset(json: unknown): AssetDocument {
  return documentSchema.parse(json);
}

/** Reads an event or a job's result. Throws ZodError likewise. */
export function parseAssetEvent(json: unknown): AssetEvent {
  return eventSchema.parse(json);
}
