import * as z from 'zod/mini';
import type {
  Completed,
  Library,
  LibraryItem,
  OpenUpload,
  Problem,
  SentParts,
  SignedPart,
} from '../schema.ts';

/** What `protocol.ts` says of the server's answers, to be held against what comes. */

const any = {
  id: z.string(),
  title: z.string(),
  fileName: z.string(),
  uploadedAt: z.string(),
};

const item = z.discriminatedUnion('state', [
  z.object({ ...any, state: z.literal('waiting') }),
  z.object({
    ...any,
    state: z.literal('working'),
    percent: z.number(),
    secondsLeft: z.exactOptional(z.number()),
    trouble: z.exactOptional(z.string()),
    quiet: z.exactOptional(z.literal(true)),
  }),
  z.object({
    ...any,
    state: z.enum(['rejected', 'failed']),
    code: z.string(),
    reason: z.string(),
    canRetry: z.boolean(),
  }),
  z.object({
    ...any,
    state: z.literal('ready'),
    durationSeconds: z.number(),
    watchPage: z.string(),
    playlist: z.string(),
    poster: z.exactOptional(z.string()),
    playAddress: z.string(),
    embedCode: z.string(),
    renditions: z.array(
      z.object({
        name: z.string(),
        width: z.number(),
        height: z.number(),
        codecs: z.string(),
        averageBitRate: z.number(),
        peakBitRate: z.number(),
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
      z.object({
        rung: z.string(),
        reason: z.enum(['larger_than_source', 'same_size_as_another']),
      }),
    ),
    leftOut: z.array(z.string()),
    bytes: z.number(),
  }),
]) satisfies z.ZodMiniType<LibraryItem>;

export const library = z.object({
  backendName: z.string(),
  origin: z.string(),
  tokens: z.boolean(),
  items: z.array(item),
}) satisfies z.ZodMiniType<Library>;

export const openUpload = z.object({
  key: z.string(),
  uploadId: z.string(),
  partBytes: z.number().check(z.positive()),
}) satisfies z.ZodMiniType<OpenUpload>;

export const sentParts = z.object({
  parts: z.array(z.object({ partNumber: z.number(), etag: z.string(), sizeBytes: z.number() })),
}) satisfies z.ZodMiniType<SentParts>;

export const signedPart = z.object({ url: z.string() }) satisfies z.ZodMiniType<SignedPart>;

export const completed = z.object({ id: z.string() }) satisfies z.ZodMiniType<Completed>;

export const problem = z.object({ error: z.string() }) satisfies z.ZodMiniType<Problem>;

/** An upload that is open, and the file that it is of, as the browser keeps it over a reload. */
export const remembered = z.extend(openUpload, {
  name: z.string(),
  sizeBytes: z.number(),
  lastModified: z.number(),
});
