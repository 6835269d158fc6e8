import { stat } from 'node:fs/promises';
import type { WorkerEnv } from '../../core/environment.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { uploadFile } from '../../core/storage/upload.ts';
import type { UploadStep } from '../../core/storage/upload.ts';
import { assetIdOf, jobIdOf } from '../../core/model/ids.ts';
import { serialiseJob } from '../../core/model/message.ts';
import { titleMetadata } from '../../core/model/title.ts';
import { isReady, reopenJob } from '../../core/catalog/results.ts';
import { pathOf } from '../cli/file-name.ts';

/** The buckets and the queue that a file goes through, as the workers are told of them. */
export type Names = Pick<WorkerEnv, 'SOURCE_BUCKET' | 'WORK_BUCKET' | 'JOB_QUEUE'>;

export interface Source {
  /** As the command line names it: `pathOf` finds it. */
  readonly file: string;
  /** In the source bucket. */
  readonly key: string;
  /** What viewers read instead of the file's name. */
  readonly title?: string | undefined;
}

/** A file on its way to become an asset. */
export interface Submission {
  readonly assetId: string;
  readonly jobId: string;
  /** When another file by that name was uploaded, which this one takes the place of. */
  readonly replaces?: Date;
}

/**
 * Uploads a file to the source bucket; its event starts the job. A file that is there already, by
 * key, size and time of change, is the same source, and is not uploaded again. Who gives a file again
 * that did not become an asset wants it tried again, as the limits may have changed; a job that is
 * under way takes no notice.
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
    ...{ size: String(size), modified: String(Math.round(mtimeMs)) },
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
  // An upload that was begun under another title, in an earlier try, keeps that one.
  const stored = title === undefined || same ? known : await store.head(bucket, key);
  const titled = title === undefined || stored?.metadata['title'] === metadata.title;
  // The bucket tells of a file that has just been uploaded.
  const told = state === 'open' && !same && titled;
  // A title that was changed elsewhere is not in the job's result.
  if (!told && (state !== 'stands' || title !== undefined)) {
    await queue(JOB_QUEUE).send(serialiseJob({ source: { bucket, key, etag }, options }));
  }
  return { assetId, jobId, ...(known && !same ? { replaces: known.lastModified } : {}) };
}
