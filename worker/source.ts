import { buffer } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { RejectedError, TransientError } from '../core/model/errors.ts';
import { serveBytes } from './byte-server.ts';
import type { Part } from './byte-server.ts';
import type { ObjectInfo, ObjectStore } from '../core/storage/ports.ts';

/** One uploaded object, as it was when its job began. */
export interface UploadedSource {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
}

/** An answer that breaks off or fails is asked for again, after pauses that double; what lasts longer is for the queue's own retries. */
const READ_TRIES = 5;
const READ_MILLISECONDS = 100;

/**
 * Makes sure that the source is still the one that was uploaded. Throws RejectedError when it is gone,
 * or another one is in its place: of two files nothing must be mixed.
 */
export async function requireSource(
  store: ObjectStore,
  source: UploadedSource,
): Promise<ObjectInfo> {
  return requireSame(source, await store.head(source.bucket, source.key));
}

export interface SourceReading {
  readonly store: ObjectStore;
  readonly source: UploadedSource;
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Runs work whose programs read the source at an address that is good until the work ends. In a store
 * elsewhere this process reads the source for them: a program calls a file damaged when an answer
 * breaks off. Bytes that could not be read stop the work by its signal, and throw whatever came of it:
 * RejectedError when the source is gone or replaced, else TransientError.
 */
export async function withSource<Result>(
  { store, source, sizeBytes, signal }: SourceReading,
  work: (address: string, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const path = await store.localPath(source.bucket, source.key);
  if (path !== undefined) return work(path, signal);
  const server = await serveBytes(sizeBytes, (part, unwanted) =>
    readPart(store, source, part, unwanted),
  );
  try {
    return await work(server.address, AbortSignal.any([signal, server.failed]));
  } finally {
    await server.close();
    server.failed.throwIfAborted();
  }
}

/** The first bytes of a source. Throws as `withSource` does. */
export async function readHead(
  store: ObjectStore,
  source: UploadedSource,
  bytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (bytes === 0) return new Uint8Array();
  return readPart(store, source, { first: 0, last: bytes - 1 }, signal);
}

/** Each try is signed anew, so that no credentials end before the reading does. */
async function readPart(
  store: ObjectStore,
  source: UploadedSource,
  part: Part,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { bucket, key } = source;
  for (let tries = 1; ; tries += 1) {
    try {
      const object = await store.get(bucket, key, part);
      // The body of another object has no reader.
      if (object && object.info.etag !== source.etag) object.body.destroy();
      requireSame(source, object?.info);
      const bytes = object ? await buffer(object.body) : Buffer.of();
      const missing = part.last - part.first + 1 - bytes.length;
      if (missing === 0) return bytes;
      throw new Error(`An answer has ${missing} bytes too few.`);
    } catch (error) {
      if (error instanceof RejectedError) throw error;
      if (tries === READ_TRIES) {
        throw new TransientError(`The source could not be read: ${String(error)}`, {
          cause: error,
        });
      }
      await after(READ_MILLISECONDS * 2 ** tries, undefined, { signal });
    }
  }
}

function requireSame({ etag }: UploadedSource, found: ObjectInfo | undefined): ObjectInfo {
  if (!found) {
    throw new RejectedError('source_gone');
  }
  if (found.etag !== etag) {
    throw new RejectedError('source_replaced');
  }
  return found;
}
