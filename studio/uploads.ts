import { randomBytes } from 'node:crypto';
import type { ObjectStore } from '../worker/io/ports.ts';
import { partBytesOf } from '../worker/io/upload.ts';
import { assetIdOf } from '../worker/plan/ids.ts';
import { RequestError } from './requests.ts';
import type {
  CompleteUpload,
  Completed,
  NewUpload,
  OpenUpload,
  SentParts,
  UploadName,
} from './protocol.ts';

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

/** What the store has of an upload. Throws RequestError 404 when it is completed, aborted or expired. */
export async function sentParts(
  store: ObjectStore,
  bucket: string,
  { key, uploadId }: UploadName,
): Promise<SentParts> {
  if (!(await store.openUploads(bucket, key)).includes(uploadId)) {
    throw new RequestError(404, 'This upload is not open any more. Begin it again.');
  }
  return { parts: await store.storedParts(bucket, key, uploadId) };
}

/**
 * Makes an object of the parts; the bucket tells the workers of it. Who asks again, as the answer to the
 * first time was lost, gets the same one.
 */
export async function completeUpload(
  store: ObjectStore,
  bucket: string,
  { key, uploadId, parts }: CompleteUpload,
): Promise<Completed> {
  const ordered = parts.toSorted((a, b) => a.partNumber - b.partNumber);
  const { etag } =
    (await store.head(bucket, key)) ?? (await store.completeUpload(bucket, key, uploadId, ordered));
  return { id: assetIdOf({ bucket, key, etag }) };
}
