import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { readDocument } from '../worker/io/documents.ts';
import { LOCAL_NAMES } from '../worker/io/local/layout.ts';
import type { Home } from '../worker/io/ports.ts';
import { upload } from '../worker/io/upload.ts';
import { parseAssetEvent } from '../worker/plan/asset.ts';
import { assetIdOf, jobIdOf } from '../worker/plan/ids.ts';
import { jobKeys } from '../worker/plan/keys.ts';
import { serialiseJob } from '../worker/plan/message.ts';
import type { SourceRef } from '../worker/plan/message.ts';

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
  home: Home,
  file: string,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<Submission> {
  const { store } = home;
  const bucket = LOCAL_NAMES.sourceBucket;
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
        signal,
      });
  const assetId = assetIdOf({ bucket, key, etag });
  const jobId = jobIdOf(assetId, {});
  if (same) await askAgain(home, jobId, { bucket, key, etag });
  return { file, assetId, jobId };
}

/**
 * Who gives a file again that did not become an asset wants it tried again, as the limits may have
 * changed; what is done of it stays done. A job that is under way takes no notice.
 */
async function askAgain(
  { store, queue }: Home,
  jobId: string,
  source: Required<SourceRef>,
): Promise<void> {
  const { result, dispatched } = jobKeys(jobId);
  const before = await readDocument(store, LOCAL_NAMES.workBucket, result, parseAssetEvent);
  if (before?.type === 'asset.ready') return;
  if (before) {
    await store.delete(LOCAL_NAMES.workBucket, dispatched);
    await store.delete(LOCAL_NAMES.workBucket, result);
  }
  await queue(LOCAL_NAMES.jobQueue).send(serialiseJob({ source, options: {} }));
}
