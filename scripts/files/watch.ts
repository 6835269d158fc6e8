import { setTimeout as after } from 'node:timers/promises';
import { readDocument } from '../../core/storage/documents.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';
import type { AssetEvent } from '../../core/model/asset.ts';
import { jobKeys } from '../../core/model/keys.ts';
import { parseOutline } from '../../core/model/progress.ts';
import type { Outline } from '../../core/model/progress.ts';
import { listJob } from '../../core/catalog/job-listing.ts';
import { progressReader } from '../../core/catalog/progress-notes.ts';
import { readResult } from '../../core/catalog/results.ts';

export interface WatchOptions {
  readonly store: ObjectStore;
  readonly workBucket: string;
  readonly jobId: string;
  /** Each look is one listing, and a reading of what is new. */
  readonly pollMilliseconds: number;
  /** 0 to 1; undefined while no worker has taken the job up. */
  readonly onProgress: (done: number | undefined) => void;
  readonly signal: AbortSignal;
}

/** Follows a job by its objects in the work bucket until it is reported. */
export async function watchJob(options: WatchOptions): Promise<AssetEvent> {
  const { store, workBucket, jobId, pollMilliseconds, onProgress, signal } = options;
  const keys = jobKeys(jobId);
  const progressOf = progressReader(store, workBucket);
  let plan: Outline | undefined;
  for (;;) {
    const listing = await listJob(store, workBucket, jobId);
    if (listing?.result) {
      const result = await readResult(store, workBucket, jobId);
      if (result) return result;
    }
    if (listing?.plan) plan ??= await readDocument(store, workBucket, keys.plan, parseOutline);
    onProgress(listing && plan && (await progressOf(plan, listing)).done);
    await after(pollMilliseconds, undefined, { signal });
  }
}
