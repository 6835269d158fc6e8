import { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3ServiceException,
  UploadPartCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { PreconditionFailedError, UploadGoneError, WrongPartsError } from '../ports.ts';
import type {
  ByteRange,
  Condition,
  ObjectHeaders,
  ObjectInfo,
  ObjectStore,
  StoredPart,
} from '../ports.ts';

/** How often a conditional write is tried that meets another write of the same key. */
const CONFLICT_TRIES = 5;
const CONFLICT_MILLISECONDS = 100;

/**
 * The object store on S3, or on a service that speaks it. A write whose answer was lost is tried again
 * by the SDK: a condition can then fail because of our own first try.
 */
export function s3ObjectStore(client: S3Client): ObjectStore {
  return {
    async put(bucket, key, body, headers = {}, condition = {}) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      const input = {
        ...{ Bucket: bucket, Key: key, Body: bytes, ContentLength: bytes.byteLength },
        ...headersOf(headers),
        ...conditionOf(condition),
      };
      for (let tries = 1; ; tries += 1) {
        try {
          return { etag: etag.parse((await client.send(new PutObjectCommand(input))).ETag) };
        } catch (error) {
          if (hasFailed(condition, error)) throw preconditionFailed(bucket, key, error);
          // Another write was under way, and may still fail: S3 asks for another try.
          if (!isNamed(error, 'ConditionalRequestConflict') || tries === CONFLICT_TRIES)
            throw error;
          await after(Math.random() * CONFLICT_MILLISECONDS * 2 ** tries);
        }
      }
    },

    async get(bucket, key, range) {
      try {
        const input = { Bucket: bucket, Key: key, Range: range && rangeHeader(range, key) };
        const answer = await client.send(new GetObjectCommand(input));
        if (!(answer.Body instanceof Readable)) throw new Error(`${bucket}/${key} has no body.`);
        return { info: infoOf(key, answer), body: answer.Body };
      } catch (error) {
        if (isNamed(error, 'NoSuchKey')) return undefined;
        if (isNamed(error, 'InvalidRange')) throw outside(key, range, error);
        throw error;
      }
    },

    async head(bucket, key) {
      try {
        return infoOf(key, await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
      } catch (error) {
        // The answer to HEAD has no body that could name the error. Who may not list is told 403.
        if (isNamed(error, 'NotFound')) return undefined;
        throw error;
      }
    },

    async *list(bucket, prefix, after) {
      // XML cannot hold every key as it is, so S3 is asked to encode them.
      const pages = paginateListObjectsV2(
        { client },
        { Bucket: bucket, Prefix: prefix, StartAfter: after, EncodingType: 'url' },
      );
      for await (const { Contents = [], EncodingType } of pages) {
        for (const found of Contents) {
          const { Key, Size, ETag, LastModified } = summarySchema.parse(found);
          const key = decodeKey(Key, EncodingType);
          yield { key, sizeBytes: Size, etag: ETag, lastModified: LastModified };
        }
      }
    },

    async delete(bucket, key) {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    },

    async localPath() {
      return undefined;
    },

    async createUpload(bucket, key, headers = {}) {
      const input = { Bucket: bucket, Key: key, ...headersOf(headers) };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(input));
      return z.string().parse(UploadId);
    },

    async uploadPart(bucket, key, uploadId, partNumber, body) {
      const input = { Bucket: bucket, Key: key, UploadId: uploadId, PartNumber: partNumber };
      const part = { ...input, Body: body, ContentLength: body.byteLength };
      const { ETag } = await client.send(new UploadPartCommand(part)).catch(throwIfGone);
      return { partNumber, etag: etag.parse(ETag) };
    },

    async completeUpload(bucket, key, uploadId, parts, condition = {}) {
      const Parts = parts.map(({ partNumber, etag }) => ({
        ...{ PartNumber: partNumber, ETag: `"${etag}"` },
      }));
      const input = {
        ...{ Bucket: bucket, Key: key, UploadId: uploadId, MultipartUpload: { Parts } },
        ...conditionOf(condition),
      };
      try {
        const { ETag } = await client.send(new CompleteMultipartUploadCommand(input));
        return { etag: etag.parse(ETag) };
      } catch (error) {
        // After a conflict S3 wants all parts again: that is for whoever has them.
        if (hasFailed(condition, error)) throw preconditionFailed(bucket, key, error);
        if (WRONG_PARTS.some((name) => isNamed(error, name))) {
          throw new WrongPartsError('S3 has other parts of this upload.', { cause: error });
        }
        return throwIfGone(error);
      }
    },

    async openUploads(bucket, key) {
      const found: z.infer<typeof uploadSchema>[] = [];
      for (let after = {}, more = true; more;) {
        const input = { Bucket: bucket, Prefix: key, EncodingType: 'url' as const, ...after };
        const page = await client.send(new ListMultipartUploadsCommand(input));
        const uploads = (page.Uploads ?? []).map((upload) => uploadSchema.parse(upload));
        found.push(...uploads.filter(({ Key }) => decodeKey(Key, page.EncodingType) === key));
        after = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
        more = page.IsTruncated === true;
      }
      return found
        .sort((a, b) => b.Initiated.getTime() - a.Initiated.getTime())
        .map(({ UploadId }) => UploadId);
    },

    async storedParts(bucket, key, uploadId) {
      const parts: StoredPart[] = [];
      // Not by the SDK's paginator: S3 names a next part also on the last page.
      for (let after = {}, more = true; more;) {
        const input = { Bucket: bucket, Key: key, UploadId: uploadId, ...after };
        const page = await client.send(new ListPartsCommand(input)).catch(throwIfGone);
        for (const part of page.Parts ?? []) {
          const { PartNumber, ETag, Size } = partSchema.parse(part);
          parts.push({ partNumber: PartNumber, etag: ETag, sizeBytes: Size });
        }
        after = { PartNumberMarker: page.NextPartNumberMarker };
        more = page.IsTruncated === true;
      }
      return parts;
    },

    async abortUpload(bucket, key, uploadId) {
      try {
        const input = { Bucket: bucket, Key: key, UploadId: uploadId };
        await client.send(new AbortMultipartUploadCommand(input));
      } catch (error) {
        if (!isNamed(error, 'NoSuchUpload')) throw error;
      }
    },
  };
}

const etag = z.string().transform((text) => text.replaceAll('"', ''));

const summarySchema = z.object({
  Key: z.string(),
  Size: z.number(),
  ETag: etag,
  LastModified: z.date(),
});

const uploadSchema = z.object({ Key: z.string(), UploadId: z.string(), Initiated: z.date() });

const partSchema = z.object({ PartNumber: z.number(), ETag: etag, Size: z.number() });

const infoSchema = z.object({
  ContentLength: z.number(),
  /** `bytes 0-9/100` when a range was asked for. */
  ContentRange: z.string().optional(),
  ETag: etag,
  LastModified: z.date(),
  ContentType: z.string().default('application/octet-stream'),
  CacheControl: z.string().optional(),
  Metadata: z.record(z.string(), z.string()).default({}),
});

function infoOf(key: string, answer: unknown): ObjectInfo {
  const info = infoSchema.parse(answer);
  return {
    key,
    sizeBytes: Number(info.ContentRange?.split('/')[1] ?? info.ContentLength),
    etag: info.ETag,
    lastModified: info.LastModified,
    contentType: info.ContentType,
    ...(info.CacheControl === undefined ? {} : { cacheControl: info.CacheControl }),
    metadata: info.Metadata,
  };
}

function headersOf({ contentType, cacheControl, metadata }: ObjectHeaders) {
  return {
    ContentType: contentType,
    CacheControl: cacheControl,
    Metadata: metadata && { ...metadata },
  };
}

function conditionOf({ ifMatch, ifNoneMatch }: Condition) {
  return { IfMatch: ifMatch && `"${ifMatch}"`, IfNoneMatch: ifNoneMatch };
}

/** S3 ignores a range that makes no sense, and sends the whole object. */
function rangeHeader(range: ByteRange, key: string): string {
  const { first, last } = range;
  if (first < 0 || (last !== undefined && last < first)) throw outside(key, range);
  return `bytes=${first}-${last ?? ''}`;
}

function outside(key: string, range?: ByteRange, cause?: unknown): RangeError {
  return new RangeError(`${JSON.stringify(range)} is not within ${key}.`, { cause });
}

/** As forms are, where a listing says so: S3 writes a space as `+`, other services as `%20`. */
function decodeKey(key: string, encoding: string | undefined): string {
  return encoding === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;
}

/** Whether a condition did not hold; to an object that is missing where one should match, S3 says 404. */
function hasFailed({ ifMatch }: Condition, error: unknown): boolean {
  if (isNamed(error, 'PreconditionFailed')) return true;
  return ifMatch !== undefined && isNamed(error, 'NoSuchKey');
}

function preconditionFailed(bucket: string, key: string, cause: unknown): PreconditionFailedError {
  return new PreconditionFailedError(`${bucket}/${key} has been written by somebody else.`, {
    cause,
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html#API_CompleteMultipartUpload_Errors */
const WRONG_PARTS = ['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'];

/** Throws UploadGoneError for what S3 says of an upload that is not open, and any other error as it is. */
function throwIfGone(error: unknown): never {
  if (!isNamed(error, 'NoSuchUpload')) throw error;
  throw new UploadGoneError('There is no such upload any more.', { cause: error });
}

function isNamed(error: unknown, name: string): error is S3ServiceException {
  return error instanceof S3ServiceException && error.name === name;
}
