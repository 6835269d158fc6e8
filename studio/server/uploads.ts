import { randomBytes } from 'node:crypto';
import { assetIdOf } from '../../core/model/ids.ts';
import { UploadGoneError } from '../../core/storage/ports.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';
import { partBytesOf } from '../../core/storage/upload.ts';
import type {
  CompleteUpload,
  CompletedUpload,
  NewUpload,
  OpenUpload,
  SentParts,
  UploadName,
} from '../schema.ts';

/** The folder of the studio's uploads in the source bucket. The studio touches no other uploads. */
const UPLOADS = 'studio/';

/** Opens an upload in a folder of its own: two files with the same name are two videos. */
export async function openUpload(
  store: ObjectStore,
  bucket: string,
  { name, sizeBytes }: NewUpload,
): Promise<OpenUpload> {
  const key = `${UPLOADS}${randomBytes(8).toString('hex')}/${name}`;
  const uploadId = await store.createUpload(bucket, key);
  return { key, uploadId, partBytes: partBytesOf(sizeBytes) };
}

/** Lists the parts of an upload that the store holds. Throws UploadGoneError. */
export async function sentParts(
  store: ObjectStore,
  bucket: string,
  { key, uploadId }: UploadName,
): Promise<SentParts> {
  return { parts: await store.storedParts(bucket, key, uploadId) };
}

/**
 * Turns the parts into an object, whose event queues a job. A caller that repeats the request, because the first
 * answer was lost, gets the same answer. Throws UploadGoneError.
 */
export async function completeUpload(
  store: ObjectStore,
  bucket: string,
  { key, uploadId, parts }: CompleteUpload,
): Promise<CompletedUpload> {
  const ordered = parts.toSorted((a, b) => a.partNumber - b.partNumber);
  let object: { readonly etag: string } | undefined = await store.head(bucket, key);
  try {
    object ??= await store.completeUpload(bucket, key, uploadId, ordered);
  } catch (error) {
    // The SDK repeats requests, too: the upload may have been completed by a first one.
    if (error instanceof UploadGoneError) object = await store.head(bucket, key);
    if (!object) throw error;
  }
  return { id: assetIdOf({ bucket, key, etag: object.etag }) };
}
