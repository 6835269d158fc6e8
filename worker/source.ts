import { buffer } from 'node:stream/consumers';
import { setTimeout as after } from 'node:timers/promises';
import { RejectedError, TransientError } from '../core/model/errors.ts';
import type { ObjectInfo, ObjectStore } from '../core/storage/ports.ts';
import { serveBytes } from './byte-server.ts';
import type { Part } from './byte-server.ts';

/** An uploaded object, in the version that its job began with. */
export interface UploadedSource {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
}

/**
 * A failed or incomplete read is repeated after pauses that double. Longer outages are left to the retries of the
 * queue.
 */
const MAX_TRIES = 5;
const PAUSE_MILLISECONDS = 200;

/** Throws RejectedError if the source is gone or was replaced: an asset must not mix two files. */
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
 * Runs `work` with an address (a path or a loopback URL) at which programs can read the source. This process reads a
 * remote source itself, as programs report a broken connection as a damaged file. If bytes cannot be read, this aborts
 * the work's signal and throws, whatever the work returned: RejectedError if the source is gone or was replaced,
 * otherwise TransientError.
 */
export async function withSource<Result>(
  { store, source, sizeBytes, signal }: SourceReading,
  work: (address: string, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const path = await store.localPath(source.bucket, source.key);
  if (path !== undefined) return work(path, signal);
  const server = await serveBytes(sizeBytes, (part, signal) =>
    readPart(store, source, part, signal),
  );
  try {
    return await work(server.address, AbortSignal.any([signal, server.failed]));
  } finally {
    await server.close();
    server.failed.throwIfAborted();
  }
}

/** Reads the first bytes of a source. Throws the same errors as `withSource`. */
export async function readHead(
  store: ObjectStore,
  source: UploadedSource,
  bytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (bytes === 0) return new Uint8Array();
  return readPart(store, source, { first: 0, last: bytes - 1 }, signal);
}

/** Each request is signed anew, so expiring credentials do not interrupt a long read. */
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
      // Nothing reads the body of a replaced object.
      if (object && object.info.etag !== source.etag) object.body.destroy();
      requireSame(source, object?.info);
      const bytes = object ? await buffer(object.body) : Buffer.of();
      const missing = part.last - part.first + 1 - bytes.length;
      if (missing === 0) return bytes;
      throw new Error(`The response is ${missing} bytes too short.`);
    } catch (error) {
      if (error instanceof RejectedError) throw error;
      if (tries === MAX_TRIES) {
        const message = `The source could not be read: ${String(error)}`;
        throw new TransientError(message, { cause: error });
      }
      await after(PAUSE_MILLISECONDS * 2 ** (tries - 1), undefined, { signal });
    }
  }
}

function requireSame({ etag }: UploadedSource, found: ObjectInfo | undefined): ObjectInfo {
  if (!found) throw new RejectedError('source_gone');
  if (found.etag !== etag) throw new RejectedError('source_replaced');
  return found;
}
