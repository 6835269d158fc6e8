import { z } from 'zod';
import { PoisonError } from './errors.ts';
import { LADDER } from './ladder.ts';
import type { Parsed } from './schema.ts';
import { isUnitName } from './units.ts';

/** S3's limits: 5 TiB for an object, 1,024 bytes for a key. */
const MAX_OBJECT_BYTES = 5 * 2 ** 40;
const MAX_KEY_BYTES = 1024;

const key = z
  .string()
  .min(1, 'is empty')
  .refine(
    (text) => Buffer.byteLength(text) <= MAX_KEY_BYTES,
    `is longer than ${MAX_KEY_BYTES} bytes`,
  );
const etag = z.string().transform((text) => text.replaceAll('"', ''));
const rungs = LADDER.map((rung) => rung.name);

const s3Record = z.object({
  eventSource: z.literal('aws:s3').optional(),
  eventName: z.string(),
  eventTime: z.iso.datetime({ offset: true, local: true, error: 'is not a time' }).optional(),
  s3: z.object({
    bucket: z.object({ name: z.string().min(1, 'is empty') }),
    object: z.object({
      key: z.string().min(1, 'is empty').transform(decodeKey).pipe(key),
      size: z
        .number()
        .int()
        .min(0, 'is negative')
        .max(MAX_OBJECT_BYTES, 'is larger than S3 allows')
        .optional(),
      eTag: etag.optional(),
    }),
  }),
});

const s3Event = z.object({ Records: z.array(s3Record).max(1000, 'are more than 1,000') });

const job = z.strictObject({
  type: z.literal('job'),
  /** The object to work on. Without an ETag, the current one when the job begins. */
  source: z.strictObject({ bucket: z.string().min(1, 'is empty'), key, etag: etag.optional() }),
  options: z
    .strictObject({
      /** Names of rungs. */
      ladder: z
        .array(z.enum(rungs, { error: `is none of ${rungs.join(', ')}` }))
        .min(1, 'is empty')
        .optional(),
      /** Replaces the asset's title, which is otherwise its file's name. Nothing is encoded again for it. */
      title: z.string().max(1000, 'is longer than 1,000 characters').optional(),
      /** Makes an asset of the sound alone. */
      soundOnly: z.boolean().optional(),
    })
    .default({}),
});

export type SourceRef = JobRequest['source'];
export type JobOptions = JobRequest['options'];
export type JobRequest = Omit<Parsed<typeof job>, 'type'>;

const unit = z.strictObject({
  type: z.literal('unit'),
  jobId: z.string().regex(/^[0-9a-f]{20}$/, 'is no job id'),
  unit: z.string().refine(isUnitName, 'is no name of a unit'),
});

/**
 * The body of a message: uploads that S3 reports, a job that was asked for, a unit of a job, or the request of a
 * schedule to look for lost work.
 */
export type Message =
  | { readonly type: 'ignored'; readonly reason: string }
  | { readonly type: 'uploads'; readonly uploads: readonly SourceRef[] }
  | Parsed<typeof job>
  | Parsed<typeof unit>
  | { readonly type: 'reconcile' };

const unreadable = z.object({
  type: z.literal('unreadable'),
  reason: z.string(),
  bytes: z.number(),
  start: z.string(),
});

/** Parses the body of a message. Throws PoisonError, which names everything that is wrong with it. */
export function parseMessage(body: string): Message {
  const json = parseJson(body);
  if (hasField(json, 'Event') && json.Event === 's3:TestEvent') {
    return { type: 'ignored', reason: 'it is a test event of S3' };
  }
  if (hasField(json, 'Records')) return parseUploads(json);
  const type = hasField(json, 'type') ? json.type : undefined;
  if (type === 'job') return read(job, json, 'job');
  if (type === 'unit') return read(unit, json, 'unit');
  if (type === 'reconcile') return { type };
  if (type === 'unreadable') {
    throw new PoisonError(`The message ${read(unreadable, json, 'note').reason}.`);
  }
  throw new PoisonError(
    'The message is neither an S3 event nor a job nor a unit nor a request for a check.',
  );
}

export function serialiseJob(request: JobRequest): string {
  return JSON.stringify({ type: 'job', ...request });
}

/** The replacement of a message that cannot be delivered: the reason, and its first bytes as text. */
export function serialiseUnreadable(found: Omit<z.infer<typeof unreadable>, 'type'>): string {
  return JSON.stringify({ type: 'unreadable', ...found });
}

/** Asks a worker to find lost work and to send it again. */
export function serialiseReconcile(): string {
  return JSON.stringify({ type: 'reconcile' });
}

export function serialiseUnit(jobId: string, unitName: string): string {
  return JSON.stringify({ type: 'unit', jobId, unit: unitName });
}

function parseUploads(json: unknown): Message {
  const uploads = read(s3Event, json, 'S3 event')
    .Records.filter(({ eventName }) => /^(s3:)?ObjectCreated:/.test(eventName))
    .map(({ s3 }) => ({ bucket: s3.bucket.name, key: s3.object.key, etag: s3.object.eTag }));
  return uploads.length > 0
    ? { type: 'uploads', uploads }
    : { type: 'ignored', reason: 'it reports no upload' };
}

/** S3 encodes keys in events like form data: a space as `+`, other special bytes as %xx. */
function decodeKey(encoded: string, context: z.RefinementCtx): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch {
    context.addIssue({ code: 'custom', message: 'has a % that begins no %xx of UTF-8' });
    return z.NEVER;
  }
}

function read<Value>(schema: z.ZodType<Value>, json: unknown, what: string): Value {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new PoisonError(`The message is no valid ${what}: ${wrong.join('; ')}.`);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new PoisonError('The message is not JSON.', { cause: error });
  }
}

function hasField<Name extends string>(json: unknown, name: Name): json is Record<Name, unknown> {
  return typeof json === 'object' && json !== null && name in json;
}
