import { setTimeout as after } from 'node:timers/promises';
import type { Catalog } from '../../core/catalog/catalog.ts';
import { listJob, readOutline } from '../../core/catalog/job-listing.ts';
import { progressReader } from '../../core/catalog/progress-notes.ts';
import { readResult } from '../../core/catalog/results.ts';
import type { AssetEvent } from '../../core/model/asset.ts';
import type { Outline } from '../../core/model/progress.ts';

export interface WatchOptions {
  readonly catalog: Catalog<'WORK_BUCKET'>;
  readonly jobId: string;
  /** Each poll is one listing, and one read for each new object. */
  readonly pollMilliseconds: number;
  /** 0 to 1; undefined until a worker has planned the job. */
  readonly onProgress: (done: number | undefined) => void;
  readonly signal: AbortSignal;
}

/** Follows a job by its objects in the work bucket until it has a result. */
export async function watchJob(options: WatchOptions): Promise<AssetEvent> {
  const { catalog, jobId, pollMilliseconds, onProgress, signal } = options;
  const progressOf = progressReader(catalog);
  let plan: Outline | undefined;
  for (;;) {
    const listing = await listJob(catalog, jobId);
    if (listing?.result) {
      const result = await readResult(catalog, jobId);
      if (result) return result;
    }
    if (listing?.plan) plan ??= await readOutline(catalog, jobId);
    onProgress(listing && plan && (await progressOf(plan, listing)).done);
    await after(pollMilliseconds, undefined, { signal });
  }
}
