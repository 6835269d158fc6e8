import { randomBytes } from 'node:crypto';
import { UploadGoneError } from '../../core/storage/ports.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';
import { partBytesOf } from '../../core/storage/upload.ts';
import { assetIdOf } from '../../core/model/ids.ts';
import type {
  CompleteUpload,
  Completed,
  NewUpload,
  OpenUpload,
  SentParts,
  UploadName,
} from '../schema.ts';

/** Where the studio's uploads lie in the source bucket; it touches no others. */
export const UPLOADS = 'studio/';

/**
 * Opens an upload. Each has a folder of its own: two videos by the same name are two videos.
 */
export async function openUpload(
  store: ObjectStore,
  bucket: string,
  { name, sizeBytes }: NewUpload,
): Promise<OpenUpload> {
  const key = `${UPLOADS}${randomBytes(8).toString('hex')}/${name}`;
  const uploadId = await store.createUpload(bucket, key);
  return { key, uploadId, partBytes: partBytesOf(sizeBytes) };
}

/** What the store has of an upload. Throws UploadGoneError. */
export async function sentParts(
  store: ObjectStore,
  bucket: string,
  { key, uploadId }: UploadName,
): Promise<SentParts> {
  return { parts: await store.storedParts(bucket, key, uploadId) };
}

/**
 * Makes an object of the parts; the bucket tells the workers of it. Who asks again, as the answer to the
 * first time was lost, gets the same one. Throws UploadGoneError.
 */
export async function completeUpload(
  store: ObjectStore,
  bucket: string,
  { key, uploadId, parts }: CompleteUpload,
): Promise<Completed> {
  const ordered = parts.toSorted((a, b) => a.partNumber - b.partNumber);
  let whole: { readonly etag: string } | undefined = await store.head(bucket, key);
  try {
    whole ??= await store.completeUpload(bucket, key, uploadId, ordered);
  } catch (error) {
    // The SDK asks again, too.
    if (error instanceof UploadGoneError) whole = await store.head(bucket, key);
    if (!whole) throw error;
  }
  return { id: assetIdOf({ bucket, key, etag: whole.etag }) };
}
