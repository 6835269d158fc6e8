import { stat } from 'node:fs/promises';
import { isReady, reopenJob } from '../../core/catalog/results.ts';
import type { WorkerEnv } from '../../core/environment.ts';
import { assetIdOf, jobIdOf } from '../../core/model/ids.ts';
import { serialiseJob } from '../../core/model/message.ts';
import { titleMetadata } from '../../core/model/title.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { uploadFile } from '../../core/storage/upload.ts';
import type { UploadStep } from '../../core/storage/upload.ts';
import { pathOf } from '../cli/file-name.ts';

/** The buckets and the queue that a file goes through, from the workers' environment. */
export type Names = Pick<WorkerEnv, 'SOURCE_BUCKET' | 'WORK_BUCKET' | 'JOB_QUEUE'>;

export interface Source {
  /** As the command line names it; `pathOf` resolves it. */
  readonly file: string;
  /** The key in the source bucket. */
  readonly key: string;
  /** Shown to viewers instead of the file's name. */
  readonly title?: string | undefined;
}

/** A file that was submitted to become an asset. */
export interface Submission {
  readonly assetId: string;
  readonly jobId: string;
  /** The upload time of another file with this name that this one replaces. */
  readonly replaces?: Date;
}

/**
 * Uploads a file to the source bucket, whose event starts the job. A file with the same key, size and modification time
 * counts as the same source and is not uploaded again. If it did not become an asset before, it is tried again, as the
 * limits may have changed. A job in progress is not affected.
 */
export async function submit(
  backend: Backend,
  names: Names,
  { file, key, title }: Source,
  onProgress: (step: UploadStep, done: number) => void,
  signal: AbortSignal,
): Promise<Submission> {
  const { store, queue } = backend;
  const { SOURCE_BUCKET: bucket, JOB_QUEUE } = names;
  const path = pathOf(file);
  const { size, mtimeMs } = await stat(path);
  const metadata = {
    size: String(size),
    modified: String(Math.round(mtimeMs)),
    ...(title === undefined ? {} : titleMetadata(title)),
  };
  const known = await store.head(bucket, key);
  const same =
    known?.metadata['size'] === metadata.size && known.metadata['modified'] === metadata.modified;
  const { etag } = same
    ? known
    : await uploadFile({
        store,
        bucket,
        key,
        file: path,
        headers: { metadata },
        onProgress,
        signal,
      });
  const options = title === undefined ? {} : { title };
  const assetId = assetIdOf({ bucket, key, etag });
  const jobId = jobIdOf(assetId, options);
  const state = await reopenJob({ store, config: names }, jobId, (result) =>
    isReady(result, options),
  );
  // An upload that an earlier attempt began with another title keeps that title.
  const stored = title === undefined || same ? known : await store.head(bucket, key);
  const titled = title === undefined || stored?.metadata['title'] === metadata.title;
  // The bucket's event announces a file that was just uploaded.
  const isAnnounced = state === 'open' && !same && titled;
  // The job's result does not contain a title that was changed elsewhere.
  if (!isAnnounced && (state !== 'stands' || title !== undefined)) {
    await queue(JOB_QUEUE).send(serialiseJob({ source: { bucket, key, etag }, options }));
  }
  return { assetId, jobId, ...(known && !same ? { replaces: known.lastModified } : {}) };
}
