import { readDocument } from './io/documents.ts';
import type { ObjectStore } from './io/ports.ts';
import { parseAssetEvent } from './plan/asset.ts';
import type { AssetEvent } from './plan/asset.ts';
import { jobKeys } from './plan/keys.ts';

/**
 * Takes back how a job ended, so that it can be begun anew; what is done of it stays done. `stands`, and
 * nothing is changed, when it ended in a way that is to stand; `open` when it has not ended.
 */
export async function reopenJob(
  store: ObjectStore,
  workBucket: string,
  jobId: string,
  isToStand: (result: AssetEvent) => boolean,
): Promise<'open' | 'stands' | 'reopened'> {
  const { dispatched, result } = jobKeys(jobId);
  const before = await readDocument(store, workBucket, result, parseAssetEvent);
  if (!before) return 'open';
  if (isToStand(before)) return 'stands';
  await store.delete(workBucket, dispatched);
  await store.delete(workBucket, result);
  return 'reopened';
}
