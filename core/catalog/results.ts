import { UnreadableError } from '../model/errors.ts';
import { readDocument, writeDocument } from '../storage/documents.ts';
import { parseAssetEvent } from '../model/asset.ts';
import type { AssetEvent } from '../model/asset.ts';
import { jobKeys } from '../model/keys.ts';
import { serialiseJob } from '../model/message.ts';
import type { JobOptions, JobRequest } from '../model/message.ts';
import { cleanTitle } from '../model/title.ts';
import type { Catalog, WorkCatalog } from './catalog.ts';

/** Keeps the event that ended a job as the job's result. */
export async function writeResult(
  { store, config }: Catalog<'WORK_BUCKET'>,
  event: AssetEvent,
): Promise<void> {
  const key = jobKeys(event.jobId).result;
  await writeDocument(store, config.WORK_BUCKET, key, event, parseAssetEvent);
}

/** The event that ended a job; undefined while it is open. Throws UnreadableError. */
export function readResult(
  { store, config }: Catalog<'WORK_BUCKET'>,
  jobId: string,
): Promise<AssetEvent | undefined> {
  return readDocument(store, config.WORK_BUCKET, jobKeys(jobId).result, parseAssetEvent);
}

/** As `readResult`, but undefined for an unreadable result, too: a damaged one must not block the job for good. */
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
 * Takes back how a job ended, so that it can be begun anew; what is done of it stays done. `stands`, and
 * nothing is changed, when it ended in a way that is to stand; `open` when it has not ended.
 */
export async function reopenJob(
  catalog: Catalog<'WORK_BUCKET'>,
  jobId: string,
  isToStand: (result: AssetEvent) => boolean,
): Promise<'open' | 'stands' | 'reopened'> {
  const { store, config } = catalog;
  const { dispatched, result } = jobKeys(jobId);
  if (!(await store.head(config.WORK_BUCKET, result))) return 'open';
  const before = await readValidResult(catalog, jobId);
  if (before && isToStand(before)) return 'stands';
  await store.delete(config.WORK_BUCKET, dispatched);
  await store.delete(config.WORK_BUCKET, result);
  return 'reopened';
}

/** Whether a job is ready under the title that it is asked for again with, if with any. */
export function isReady(result: AssetEvent, { title }: JobOptions): boolean {
  if (result.type !== 'asset.ready') return false;
  const wanted = cleanTitle(title ?? '');
  return wanted === '' || wanted === result.title;
}

/** Asks for a job again, with all of its units: those that are done stay done. Safe at any time. */
export async function requestJob(
  { store, jobs, config }: WorkCatalog<'WORK_BUCKET'>,
  jobId: string,
  request: JobRequest,
): Promise<void> {
  // Its units are sent when this is not there.
  await store.delete(config.WORK_BUCKET, jobKeys(jobId).dispatched);
  await jobs.send(serialiseJob(request));
}
