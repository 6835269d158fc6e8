import { parseAssetEvent } from '../model/asset.ts';
import type { AssetEvent } from '../model/asset.ts';
import { UnreadableError } from '../model/errors.ts';
import { jobKeys } from '../model/keys.ts';
import { serialiseJob } from '../model/message.ts';
import type { JobOptions, JobRequest } from '../model/message.ts';
import { cleanTitle } from '../model/title.ts';
import { readDocument, writeDocument } from '../storage/documents.ts';
import type { Catalog, WorkCatalog } from './catalog.ts';

/** Stores the event that ended a job as its result. */
export async function writeResult(
  { store, config }: Catalog<'WORK_BUCKET'>,
  event: AssetEvent,
): Promise<void> {
  const key = jobKeys(event.jobId).result;
  await writeDocument(store, config.WORK_BUCKET, key, event, parseAssetEvent);
}

/** Reads the event that ended a job. Resolves to undefined while the job is open. Throws UnreadableError. */
export function readResult(
  { store, config }: Catalog<'WORK_BUCKET'>,
  jobId: string,
): Promise<AssetEvent | undefined> {
  return readDocument(store, config.WORK_BUCKET, jobKeys(jobId).result, parseAssetEvent);
}

/** Like `readResult`, but resolves to undefined for an unreadable result, which must not block the job for good. */
export async function readValidResult(
  catalog: Catalog<'WORK_BUCKET'>,
  jobId: string,
): Promise<AssetEvent | undefined> {
  try {
    return await readResult(catalog, jobId);
  } catch (error) {
    if (error instanceof UnreadableError) return undefined;
    throw error;
  }
}

/**
 * Removes the result of a job, so that the job can run again; its finished units stay. Resolves to `stands`, without
 * a change, when `isFinal` accepts the result, and to `open` when there is no result.
 */
export async function reopenJob(
  catalog: Catalog<'WORK_BUCKET'>,
  jobId: string,
  isFinal: (result: AssetEvent) => boolean,
): Promise<'open' | 'stands' | 'reopened'> {
  const { store, config } = catalog;
  const { dispatched, result } = jobKeys(jobId);
  if (!(await store.head(config.WORK_BUCKET, result))) return 'open';
  const before = await readValidResult(catalog, jobId);
  if (before && isFinal(before)) return 'stands';
  await store.delete(config.WORK_BUCKET, dispatched);
  await store.delete(config.WORK_BUCKET, result);
  return 'reopened';
}

/** Whether a job is ready under the requested title, if the request has one. */
export function isReady(result: AssetEvent, { title }: JobOptions): boolean {
  if (result.type !== 'asset.ready') return false;
  const wanted = cleanTitle(title ?? '');
  return wanted === '' || wanted === result.title;
}

/**
 * Requests a job again. A worker sends messages for all of its units; finished units stay finished. Safe at any time.
 */
export async function requestJob(
  { store, jobs, config }: WorkCatalog<'WORK_BUCKET'>,
  jobId: string,
  request: JobRequest,
): Promise<void> {
  // Without this document, a worker sends the units again.
  await store.delete(config.WORK_BUCKET, jobKeys(jobId).dispatched);
  await jobs.send(serialiseJob(request));
}
