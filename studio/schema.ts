import * as z from 'zod';
import { assetSchema } from '../core/model/asset.ts';
import type { Parsed } from '../core/model/schema.ts';

/**
 * The protocol between the studio's page and its server: JSON below `/studio/api/`. Every request except `events`
 * carries the page's token in the header `x-studio-token`. An error has a status of 400 or above and a `Problem` as
 * its body.
 *
 * | request                 | body             | answer                                                        |
 * | ----------------------- | ---------------- | ------------------------------------------------------------- |
 * | GET `events`            |                  | server-sent events: each is a `Library`, or a `Problem` named |
 * |                         |                  | `problem` while the library cannot be read                    |
 * | POST `uploads`          | `NewUpload`      | `OpenUpload`                                                  |
 * | POST `uploads/parts`    | `UploadName`     | `SentParts`; 404 if the upload is no longer open              |
 * | POST `uploads/sign`     | `PartRequest`    | `SignedPart`                                                  |
 * | POST `uploads/complete` | `CompleteUpload` | `CompletedUpload`; 404 if the upload is no longer open, 400   |
 * |                         |                  | if the parts differ from those that were sent                 |
 * | POST `uploads/abort`    | `UploadName`     | 204                                                           |
 * | POST `items/<id>/retry` |                  | 204; 409 if the video is ready or its file is gone            |
 * | POST `items/<id>/title` | `NewTitle`       | 204; 409 if the video is not ready                            |
 * | DELETE `items/<id>`     |                  | 204                                                           |
 */

/** S3's own limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_FILE_BYTES = 5 * 2 ** 40;
const MAX_PARTS = 10_000;
/** More than a ten-thousandth of the largest file. */
const MAX_PART_BYTES = 2 ** 30;
/** S3 takes keys of up to 1,024 bytes; the folder needs some of them. */
const MAX_NAME_BYTES = 900;

const item = z.object({
  /** The asset's id. */
  id: z.string(),
  title: z.string(),
  /** The name of the uploaded file, without folders. */
  fileName: z.string(),
  /** ISO 8601. If the uploaded file is gone: when the video was published, or when the job last changed. */
  uploadedAt: z.string(),
});

/** Uploaded; no worker has started on it. */
const waitingItem = item.extend({ state: z.literal('waiting') });

const workingItem = item.extend({
  state: z.literal('working'),
  /** 0 to 100. */
  percent: z.number(),
  /** Absent until enough progress was seen for an estimate. */
  secondsLeft: z.number().optional(),
  /** The latest failure; the work is tried again. */
  lastError: z.string().optional(),
  /** True after so long without any progress that the job's messages may be lost. */
  stalled: z.boolean(),
});

/** There is no video. `rejected`: the worker does not accept the file. `failed`: something around the work went wrong. */
const endedItem = item.extend({
  state: z.enum(['rejected', 'failed']),
  code: z.string(),
  /** A sentence for the person who uploaded the file. */
  reason: z.string(),
  /** False if the file itself is the reason, or is gone. */
  canRetry: z.boolean(),
});

const readyItem = item.extend({
  state: z.literal('ready'),
  ...assetSchema.pick({
    durationSeconds: true,
    renditions: true,
    audio: true,
    skipped: true,
    bytes: true,
  }).shape,
  /** Paths on the studio's own server: `/watch/…` for people, `/v/…` for its player and pictures. */
  watchPage: z.string(),
  playlist: z.string(),
  poster: z.string().optional(),
  /** The playlist's URL for viewers. */
  playAddress: z.string(),
  /** Two lines of HTML for a page of an allowed site. */
  embedCode: z.string(),
  /** A sentence for each kind of stream of the file that is not in the video. */
  leftOut: z.array(z.string()),
});

export const librarySchema = z.object({
  /** What people call the backend: `this machine`, or the name of a stage. */
  backendName: z.string(),
  /** The origin from which viewers load the videos: `https://…`, without a slash at the end. */
  origin: z.string(),
  /** Whether viewers' URLs need a token, which only the site's own server can create. */
  tokens: z.boolean(),
  /** The newest upload first. */
  items: z.array(z.discriminatedUnion('state', [waitingItem, workingItem, endedItem, readyItem])),
});

export type Library = Parsed<typeof librarySchema>;
/** An uploaded file and what has become of it. */
export type LibraryItem = Library['items'][number];
export type WaitingItem = Parsed<typeof waitingItem>;
export type WorkingItem = Parsed<typeof workingItem>;
export type ReadyItem = Parsed<typeof readyItem>;

export const newUploadSchema = z.strictObject({
  name: z
    .string()
    .min(1, 'is empty')
    .refine(
      (name) => new TextEncoder().encode(name).length <= MAX_NAME_BYTES,
      `is longer than ${MAX_NAME_BYTES} bytes`,
    )
    .regex(/^[^/\p{Cc}]+$/u, 'has a slash or a control character'),
  sizeBytes: z
    .int('is not a number of bytes')
    .min(1, 'says that the file is empty')
    .max(MAX_FILE_BYTES, 'is more than the 5 TiB that S3 takes'),
});
export type NewUpload = Parsed<typeof newUploadSchema>;

export const newTitleSchema = z.strictObject({
  title: z.string().max(1000, 'is longer than 1,000 characters'),
});
export type NewTitle = Parsed<typeof newTitleSchema>;

/** Names an upload that is not completed. */
export const uploadNameSchema = z.strictObject({
  key: z.string().regex(/^studio\/[0-9a-f]{16}\/[^/]+$/, 'is not a key of the studio'),
  uploadId: z.string().min(1, 'is empty').max(2000, 'is too long'),
});
export type UploadName = Parsed<typeof uploadNameSchema>;

export const openUploadSchema = uploadNameSchema.extend({
  /** Size of every part but the last. */
  partBytes: z.number().positive(),
});
export type OpenUpload = Parsed<typeof openUploadSchema>;

/** From 1. */
const partNumber = z.int().min(1, 'is less than 1').max(MAX_PARTS, 'is more than 10,000');

/** The parts of an upload that the bucket holds. */
export const sentPartsSchema = z.object({
  parts: z.array(z.object({ partNumber, etag: z.string(), sizeBytes: z.number() })),
});
export type SentParts = Parsed<typeof sentPartsSchema>;

export const partRequestSchema = uploadNameSchema.extend({
  partNumber,
  /** The local server accepts exactly this many bytes for the part. */
  sizeBytes: z
    .int('is not a number of bytes')
    .min(1, 'says that the part is empty')
    .max(MAX_PART_BYTES, 'is more than 1 GiB'),
});
export type PartRequest = Parsed<typeof partRequestSchema>;

/** Where to PUT a part's bytes. The response's ETag is the part's. */
export const signedPartSchema = z.object({ url: z.string() });
export type SignedPart = Parsed<typeof signedPartSchema>;

export const completeUploadSchema = uploadNameSchema.extend({
  parts: z
    .array(
      z.strictObject({ partNumber, etag: z.string().transform((tag) => tag.replaceAll('"', '')) }),
    )
    .min(1, 'are none')
    .max(MAX_PARTS, 'are more than 10,000'),
});
export type CompleteUpload = Parsed<typeof completeUploadSchema>;

export const completedUploadSchema = z.object({
  /** Of the item that the upload becomes. */
  id: z.string(),
});
export type CompletedUpload = Parsed<typeof completedUploadSchema>;

export const problemSchema = z.object({
  /** A sentence for a person. */
  error: z.string(),
});
export type Problem = Parsed<typeof problemSchema>;

/** Shown for an upload that was completed, aborted or has expired. The page shows it itself when S3 says so. */
export const UPLOAD_GONE = 'This upload is no longer open. Start it again.';
