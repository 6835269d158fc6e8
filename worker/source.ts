import { buffer } from 'node:stream/consumers';
import { RejectedError } from './errors.ts';
import type { ObjectInfo, ObjectStore } from './io/ports.ts';

/** One uploaded object, as it was when its job began. */
export interface UploadedSource {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
}

/** The address of a source is good for so long: the longest unit, a sound track of many hours, reads it throughout. */
const ADDRESS_SECONDS = 12 * 3600;

/**
 * Makes sure that the source is still the one that was uploaded. Throws RejectedError when it is gone,
 * or another one is in its place: of two files nothing must be mixed.
 */
export async function requireSource(
  store: ObjectStore,
  { bucket, key, etag }: UploadedSource,
): Promise<ObjectInfo> {
  const found = await store.head(bucket, key);
  if (!found) throw sourceGone();
  if (found.etag !== etag) {
    throw new RejectedError(
      'source_replaced',
      'Another file was uploaded in the place of this one. That one is worked on by itself.',
    );
  }
  return found;
}

/** Where ffmpeg reads the source, by ranges. */
export function addressOf(store: ObjectStore, { bucket, key }: UploadedSource): Promise<string> {
  return store.readAddress(bucket, key, ADDRESS_SECONDS);
}

/** The first bytes of a source. Throws RejectedError when it is gone. */
export async function readHead(
  store: ObjectStore,
  { bucket, key }: UploadedSource,
  bytes: number,
): Promise<Uint8Array> {
  if (bytes === 0) return new Uint8Array();
  const object = await store.get(bucket, key, { first: 0, last: bytes - 1 });
  if (!object) throw sourceGone();
  return buffer(object.body);
}

function sourceGone(): RejectedError {
  return new RejectedError('source_gone', 'The uploaded file is no longer there. Upload it again.');
}
