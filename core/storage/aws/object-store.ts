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

/** Attempts of a conditional write that conflicts with another write of the same key. */
const CONFLICT_TRIES = 5;
const CONFLICT_MILLISECONDS = 100;

/**
 * An object store on S3 or a compatible service. The SDK repeats a write whose response was lost, so a condition can
 * fail because the first attempt succeeded.
 */
export function s3ObjectStore(client: S3Client): ObjectStore {
  return {
    async put(bucket, key, body, headers = {}, condition = {}) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      const input = {
        Bucket: bucket,
        Key: key,
        Body: bytes,
        ContentLength: bytes.byteLength,
        ...headersOf(headers),
        ...conditionOf(condition),
      };
      for (let tries = 1; ; tries += 1) {
        try {
          return { etag: etag.parse((await client.send(new PutObjectCommand(input))).ETag) };
        } catch (error) {
          if (hasFailed(condition, error)) throw preconditionFailed(bucket, key, error);
          // Another write was in progress and may still fail, so S3 asks for a retry.
          if (!isNamed(error, 'ConditionalRequestConflict') || tries === CONFLICT_TRIES)
            throw error;
          await after(Math.random() * CONFLICT_MILLISECONDS * 2 ** tries);
        }
      }
    },

    async get(bucket, key, range) {
      try {
        const input = { Bucket: bucket, Key: key, Range: range && rangeHeader(range, key) };
        const output = await client.send(new GetObjectCommand(input));
        if (!(output.Body instanceof Readable)) throw new Error(`${bucket}/${key} has no body.`);
        return { info: infoOf(key, output), body: output.Body };
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
        // A HEAD response has no body with the error's name. Without the permission to list, S3 answers 403 instead.
        if (isNamed(error, 'NotFound')) return undefined;
        throw error;
      }
    },

    async *list(bucket, prefix, after) {
      // XML cannot represent every key, so S3 is asked to encode keys.
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
        PartNumber: partNumber,
        ETag: `"${etag}"`,
      }));
      const input = {
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts },
        ...conditionOf(condition),
      };
      try {
        const { ETag } = await client.send(new CompleteMultipartUploadCommand(input));
        return { etag: etag.parse(ETag) };
      } catch (error) {
        // After a conflict S3 wants all parts again, which only the caller has.
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
      // The SDK's paginator would not end: S3 names a next part on the last page, too.
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
  /** `bytes 0-9/100` in the response to a range request. */
  ContentRange: z.string().optional(),
  ETag: etag,
  LastModified: z.date(),
  ContentType: z.string().default('application/octet-stream'),
  CacheControl: z.string().optional(),
  Metadata: z.record(z.string(), z.string()).default({}),
});

function infoOf(key: string, output: unknown): ObjectInfo {
  const info = infoSchema.parse(output);
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

/** S3 ignores an invalid range and sends the whole object, so it is checked here. */
function rangeHeader(range: ByteRange, key: string): string {
  const { first, last } = range;
  if (first < 0 || (last !== undefined && last < first)) throw outside(key, range);
  return `bytes=${first}-${last ?? ''}`;
}

function outside(key: string, range?: ByteRange, cause?: unknown): RangeError {
  return new RangeError(`${JSON.stringify(range)} is outside ${key}.`, { cause });
}

/** Decodes a key of a listing. S3 encodes a space as `+`, other services as `%20`. */
function decodeKey(key: string, encoding: string | undefined): string {
  return encoding === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;
}

/** Whether the condition failed. When `ifMatch` is given and there is no object, S3 answers 404. */
function hasFailed({ ifMatch }: Condition, error: unknown): boolean {
  if (isNamed(error, 'PreconditionFailed')) return true;
  return ifMatch !== undefined && isNamed(error, 'NoSuchKey');
}

function preconditionFailed(bucket: string, key: string, cause: unknown): PreconditionFailedError {
  return new PreconditionFailedError(`${bucket}/${key} was written by another process.`, {
    cause,
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html#API_CompleteMultipartUpload_Errors */
const WRONG_PARTS = ['InvalidPart', 'InvalidPartOrder', 'EntityTooSmall'];

/** Throws UploadGoneError when the error means that the upload is not open, and any other error unchanged. */
function throwIfGone(error: unknown): never {
  if (!isNamed(error, 'NoSuchUpload')) throw error;
  throw new UploadGoneError('The upload is not open any more.', { cause: error });
}

function isNamed(error: unknown, name: string): error is S3ServiceException {
  return error instanceof S3ServiceException && error.name === name;
}
