import { z } from 'zod';
import { jobKeys } from '../model/keys.ts';
import { jobProgress } from '../model/progress.ts';
import type { JobProgress, Outline } from '../model/progress.ts';
import { readDocument, writeDocument } from '../storage/documents.ts';
import type { Catalog } from './catalog.ts';
import type { JobListing } from './job-listing.ts';

/** The share of a unit's work that is done, 0 to 1. */
const noteSchema = z.object({ done: z.number() });

const parseNote = (json: unknown) => noteSchema.parse(json);

export async function writeProgressNote(
  { store, config }: Catalog<'WORK_BUCKET'>,
  { jobId, unit, done }: { readonly jobId: string; readonly unit: string; readonly done: number },
): Promise<void> {
  const key = jobKeys(jobId).note(unit);
  await writeDocument(store, config.WORK_BUCKET, key, { done: Math.min(1, done) }, parseNote);
}

/** Calculates the progress of jobs. Each version of a note is read once, however often this is called. */
export function progressReader({
  store,
  config,
}: Catalog<'WORK_BUCKET'>): (plan: Outline, listing: JobListing) => Promise<JobProgress> {
  const read = new Map<string, number>();
  return async (plan, { done, notes }) => {
    const shares = new Map<string, number>();
    for (const [unit, { key, etag }] of notes) {
      if (done.has(unit)) continue;
      const name = `${key} ${etag}`;
      const share =
        read.get(name) ?? (await readDocument(store, config.WORK_BUCKET, key, parseNote))?.done;
      if (share === undefined) continue;
      read.set(name, share);
      shares.set(unit, share);
    }
    return jobProgress(plan, done, shares);
  };
}
