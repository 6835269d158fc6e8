import { setTimeout as after } from 'node:timers/promises';
import { z } from 'zod';
import { readDocument } from '../worker/io/documents.ts';
import type { ObjectStore } from '../worker/io/ports.ts';
import { parseAssetEvent } from '../worker/plan/asset.ts';
import type { AssetEvent } from '../worker/plan/asset.ts';
import { jobKeys } from '../worker/plan/keys.ts';
import { parsePlan } from '../worker/plan/plan.ts';
import type { Plan } from '../worker/plan/plan.ts';
import { jobProgress } from '../worker/plan/progress.ts';

const LOOK_MILLISECONDS = 250;

const parseNote = (json: unknown) => z.object({ done: z.number() }).parse(json).done;

/** Follows a job by its objects in the work bucket, telling its progress (0 to 1), until it is reported. */
export async function watchJob(
  store: ObjectStore,
  bucket: string,
  jobId: string,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<AssetEvent> {
  const keys = jobKeys(jobId);
  let plan: Plan | undefined;
  for (;;) {
    const result = await readDocument(store, bucket, keys.result, parseAssetEvent);
    if (result) return result;
    plan ??= await readDocument(store, bucket, keys.plan, parsePlan);
    if (plan) {
      const finished = new Set<string>();
      for await (const { key } of store.list(bucket, keys.done)) {
        finished.add(key.slice(keys.done.length, -'.json'.length));
      }
      const notes = new Map<string, number>();
      for (const { name } of plan.units) {
        if (finished.has(name)) continue;
        const note = await readDocument(store, bucket, keys.note(name), parseNote);
        if (note !== undefined) notes.set(name, note);
      }
      onProgress(jobProgress(plan, finished, notes).done);
    }
    await after(LOOK_MILLISECONDS, undefined, { signal });
  }
}
