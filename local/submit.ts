import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { upload } from '../worker/io/upload.ts';
import type { ObjectStore } from '../worker/io/ports.ts';
import { assetIdOf, jobIdOf } from '../worker/plan/ids.ts';

/** A file on its way to become an asset. */
export interface Submission {
  readonly file: string;
  readonly assetId: string;
  readonly jobId: string;
}

/**
 * Uploads a file to the source bucket; its event starts the job. A file that is there already, by
 * path, size and time of change, is the same source, and is not uploaded again.
 */
export async function submit(
  store: ObjectStore,
  bucket: string,
  file: string,
  onProgress: (done: number) => void,
): Promise<Submission> {
  const { size, mtimeMs } = await stat(file);
  const folder = createHash('sha256').update(file).digest('hex').slice(0, 8);
  const key = `uploads/${folder}/${basename(file)}`;
  const metadata = { size: String(size), modified: String(Math.round(mtimeMs)) };
  const known = await store.head(bucket, key);
  const same =
    known?.metadata['size'] === metadata.size && known.metadata['modified'] === metadata.modified;
  const { etag } = same
    ? known
    : await upload({
        ...{ store, bucket, key, headers: { metadata } },
        body: createReadStream(file, { highWaterMark: 2 ** 20 }),
        onProgress: (sent) => onProgress(size > 0 ? sent / size : 1),
      });
  const assetId = assetIdOf({ bucket, key, etag });
  return { file, assetId, jobId: jobIdOf(assetId, {}) };
}
