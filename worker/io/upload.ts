import type { Readable } from 'node:stream';
import type { ObjectHeaders, ObjectStore, UploadedPart } from './ports.ts';

export interface UploadRequest {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly key: string;
  readonly body: Readable;
  readonly headers?: ObjectHeaders;
  /** Bytes in a part; at least 5 MiB. */
  readonly partBytes?: number;
  /** Parts on their way at once: memory holds about one more than these. */
  readonly parallel?: number;
  readonly onProgress?: (sentBytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Streams a body of any length into an object: at once if it fits into a part, else in parts. An
 * upload that fails is taken back.
 */
export async function upload(request: UploadRequest): Promise<{ readonly etag: string }> {
  const { store, bucket, key, headers, onProgress, signal } = request;
  const { partBytes = 8 * 2 ** 20, parallel = 4 } = request;
  const parts = partsOf(request.body, partBytes);
  const first = await parts.next();
  const second = first.done ? first : await parts.next();
  if (second.done) {
    const bytes = first.done ? new Uint8Array() : first.value;
    const written = await store.put(bucket, key, bytes, headers);
    onProgress?.(bytes.length);
    return written;
  }
  const uploadId = await store.createUpload(bucket, key, headers);
  try {
    const finished: UploadedPart[] = [];
    const sending = new Set<Promise<void>>();
    let sent = 0;
    let partNumber = 0;
    const send = async (bytes: Uint8Array, number: number) => {
      finished.push(await store.uploadPart(bucket, key, uploadId, number, bytes));
      sent += bytes.length;
      onProgress?.(sent);
    };
    const begin = async (bytes: Uint8Array) => {
      signal?.throwIfAborted();
      partNumber += 1;
      const job = send(bytes, partNumber).finally(() => sending.delete(job));
      sending.add(job);
      if (sending.size >= parallel) await Promise.race(sending);
    };
    try {
      for (const part of [first, second]) if (!part.done) await begin(part.value);
      for await (const bytes of parts) await begin(bytes);
    } finally {
      await Promise.allSettled(sending);
    }
    await Promise.all(sending);
    if (finished.length !== partNumber) throw new Error(`Parts of ${key} could not be uploaded.`);
    finished.sort((a, b) => a.partNumber - b.partNumber);
    return await store.completeUpload(bucket, key, uploadId, finished);
  } catch (error) {
    await store.abortUpload(bucket, key, uploadId);
    throw error;
  }
}

async function* partsOf(body: Readable, partBytes: number): AsyncGenerator<Uint8Array> {
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    let rest = chunk;
    while (length + rest.length >= partBytes) {
      const taken = rest.subarray(0, partBytes - length);
      yield Buffer.concat([...pieces, taken]);
      rest = rest.subarray(taken.length);
      pieces = [];
      length = 0;
    }
    if (rest.length > 0) pieces.push(rest);
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(pieces);
}
