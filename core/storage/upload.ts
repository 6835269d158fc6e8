import { createHash } from 'node:crypto';
import type { PathLike } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { inParallel } from './in-parallel.ts';
import type { ObjectHeaders, ObjectStore, StoredPart, UploadedPart } from './ports.ts';

/** An upload first compares the parts that an earlier attempt has sent, and then sends the rest. */
export type UploadStep = 'comparing' | 'uploading';

export interface UploadRequest {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly key: string;
  /** Path of the file. */
  readonly file: PathLike;
  readonly headers?: ObjectHeaders;
  /** `done` is a share of the file, 0 to 1. */
  readonly onProgress?: (step: UploadStep, done: number) => void;
  readonly signal?: AbortSignal;
}

const MIB = 2 ** 20;

/** S3's limit: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;

/** Files up to 78 GiB have parts of this size. An interruption loses at most one part, seconds of a usual line. */
const PART_BYTES = 8 * MIB;

/** Parts are sent in parallel, as long as they fit into this memory. */
const PARALLEL = 4;
const MEMORY_BYTES = 64 * MIB;

/**
 * The size of the parts of a file. It depends on the file's size alone: a later attempt compares parts of the same
 * size, and the object's ETag, from which the asset's id is made, depends on it.
 */
export function partBytesOf(sizeBytes: number): number {
  return Math.max(PART_BYTES, Math.ceil(sizeBytes / MAX_PARTS / MIB) * MIB);
}

/**
 * Uploads a file, in parts if it is larger than one part. It continues an interrupted upload: parts that match the
 * file are not sent again. Only the store knows these parts; its lifecycle rule removes them if nobody completes the
 * upload.
 *
 * Throws Error when the file changes during the upload, and what the store throws. The parts stay for the next
 * attempt.
 */
export async function uploadFile(request: UploadRequest): Promise<{ readonly etag: string }> {
  const { store, bucket, key, headers, onProgress, signal } = request;
  const file = await open(request.file);
  try {
    const source = await partsOf(file);
    const { numbers } = source;
    if (numbers.length === 1) {
      const bytes = await source.read(1);
      await source.requireUnchanged();
      const written = await store.put(bucket, key, bytes, headers);
      onProgress?.('uploading', 1);
      return written;
    }
    const earlier = await findEarlier(request, source);
    const sent = new Map<number, UploadedPart>(
      earlier?.parts.map((part) => [part.partNumber, part]),
    );
    const uploadId = earlier?.uploadId ?? (await store.createUpload(bucket, key, headers));
    const missing = numbers.filter((number) => !sent.has(number));
    const concurrency = Math.min(PARALLEL, Math.floor(MEMORY_BYTES / source.partBytes));
    onProgress?.('uploading', sent.size / numbers.length);
    await inParallel(missing, Math.max(1, concurrency), async (number) => {
      signal?.throwIfAborted();
      const bytes = await source.read(number);
      sent.set(number, await store.uploadPart(bucket, key, uploadId, number, bytes));
      onProgress?.('uploading', sent.size / numbers.length);
    });
    await source.requireUnchanged();
    const parts = [...sent.values()].sort((a, b) => a.partNumber - b.partNumber);
    return await store.completeUpload(bucket, key, uploadId, parts);
  } finally {
    await file.close();
  }
}

interface SourceParts {
  readonly partBytes: number;
  /** Counted from 1. There is at least one part, which may be empty. */
  readonly numbers: readonly number[];
  read(number: number): Promise<Buffer>;
  /** Whether a stored part equals the file's, by its size and its MD5 (the ETag). */
  has(part: StoredPart): Promise<boolean>;
  requireUnchanged(): Promise<void>;
}

async function partsOf(file: FileHandle): Promise<SourceParts> {
  const { size, mtimeMs } = await file.stat();
  const changed = () => new Error('The file changed while it was being uploaded. Upload it again.');
  const partBytes = partBytesOf(size);
  const count = Math.max(1, Math.ceil(size / partBytes));
  const read = async (number: number) => {
    const start = (number - 1) * partBytes;
    const bytes = Buffer.allocUnsafe(Math.min(partBytes, size - start));
    for (let filled = 0; filled < bytes.length;) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
      if (bytesRead === 0) throw changed();
      filled += bytesRead;
    }
    return bytes;
  };
  return {
    partBytes,
    numbers: Array.from({ length: count }, (_, index) => index + 1),
    read,
    has: async ({ partNumber, sizeBytes, etag }) => {
      if (partNumber > count) return false;
      if (sizeBytes !== Math.min(partBytes, size - (partNumber - 1) * partBytes)) return false;
      return (
        createHash('md5')
          .update(await read(partNumber))
          .digest('hex') === etag
      );
    },
    requireUnchanged: async () => {
      const now = await file.stat();
      if (now.size !== size || now.mtimeMs !== mtimeMs) throw changed();
    },
  };
}

/**
 * Finds the newest open upload whose first part equals the file's, and its parts that do. Other uploads of the key
 * may be those of another person with another file of the same name, and still be running.
 */
async function findEarlier(
  { store, bucket, key, onProgress, signal }: UploadRequest,
  source: SourceParts,
): Promise<{ readonly uploadId: string; readonly parts: readonly StoredPart[] } | undefined> {
  for (const uploadId of await store.openUploads(bucket, key)) {
    const [first, ...others] = await store.storedParts(bucket, key, uploadId);
    if (!first || !(await source.has(first))) continue;
    const parts = [first];
    for (const [index, part] of others.entries()) {
      signal?.throwIfAborted();
      if (await source.has(part)) parts.push(part);
      onProgress?.('comparing', (index + 1) / others.length);
    }
    return { uploadId, parts };
  }
  return undefined;
}
