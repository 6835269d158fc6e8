import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { CompleteUpload, NewTitle, NewUpload, PartRequest, UploadName } from '../schema.ts';

/** A request that is answered with a status of 400 and above, and a sentence. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** S3's own limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const LARGEST_BYTES = 5 * 2 ** 40;
const MAX_PARTS = 10_000;
/** A part of the largest file that S3 takes, 5 TiB in ten thousand parts, and some. */
const LARGEST_PART_BYTES = 2 ** 30;
/** A key has 1,024 bytes at most, and its folder takes some. */
const LONGEST_NAME_BYTES = 900;
/** Ten thousand parts, by number and ETag. */
const LONGEST_BODY_BYTES = 2 ** 20;

const key = z.string().regex(/^studio\/[0-9a-f]{16}\/[^/]+$/, 'is none of the studio');
const uploadId = z.string().min(1, 'is empty').max(2000, 'is too long');
const partNumber = z.int().min(1, 'begins at 1').max(MAX_PARTS, 'is more than 10,000');

export const newUpload: z.ZodType<NewUpload> = z.strictObject({
  name: z
    .string()
    .min(1, 'is empty')
    .refine(
      (name) => Buffer.byteLength(name) <= LONGEST_NAME_BYTES,
      `is longer than ${LONGEST_NAME_BYTES} bytes`,
    )
    .regex(/^[^/\p{Cc}]+$/u, 'has a slash or a control character'),
  sizeBytes: z
    .int('is no number of bytes')
    .min(1, 'says that the file is empty')
    .max(LARGEST_BYTES, 'is more than the 5 TiB that S3 takes'),
});

export const newTitle: z.ZodType<NewTitle> = z.strictObject({
  title: z.string().max(1000, 'is longer than 1,000 characters'),
});

export const uploadName: z.ZodType<UploadName> = z.strictObject({ key, uploadId });

export const partRequest: z.ZodType<PartRequest> = z.strictObject({
  key,
  uploadId,
  partNumber,
  sizeBytes: z
    .int('is no number of bytes')
    .min(1, 'says that the part is empty')
    .max(LARGEST_PART_BYTES, 'is more than 1 GiB'),
});

export const completeUpload: z.ZodType<CompleteUpload> = z.strictObject({
  key,
  uploadId,
  parts: z
    .array(
      z.strictObject({ partNumber, etag: z.string().transform((tag) => tag.replaceAll('"', '')) }),
    )
    .min(1, 'are none')
    .max(MAX_PARTS, 'are more than 10,000'),
});

/** Reads a request's JSON. Throws RequestError naming every field that is wrong. */
export async function readBody<Value>(
  request: IncomingMessage,
  schema: z.ZodType<Value>,
): Promise<Value> {
  const body = await readBytes(request, LONGEST_BODY_BYTES);
  const result = schema.safeParse(parseJson(body.toString('utf8')));
  if (result.success) return result.data;
  const wrong = result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new RequestError(400, `This cannot be done: ${wrong.join('; ')}.`);
}

/** A request's body. Throws RequestError 413 when there is more of it. */
export async function readBytes(request: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw new RequestError(413, `This is more than ${most} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestError(400, 'This is not JSON.');
  }
}
