import { writeDocument } from './io/documents.ts';
import { jobKeys } from './plan/keys.ts';
import type { Context, Services } from './services.ts';

/** A person who watches needs no more. */
const INTERVAL_MILLISECONDS = 1000;

/**
 * Returns a function that notes how much of a unit is done, 0 to 1, at most once a second. A note is
 * for screens only: one that cannot be written is no failure of the unit.
 */
export function noteProgress(
  { store, config }: Services,
  jobId: string,
  unit: string,
  { log }: Context,
): (done: number) => void {
  let writing = false;
  let written = -Infinity;
  return (done) => {
    if (writing || performance.now() - written < INTERVAL_MILLISECONDS) return;
    writing = true;
    written = performance.now();
    writeDocument(store, config.WORK_BUCKET, jobKeys(jobId).note(unit), { done: Math.min(1, done) })
      .catch((error: unknown) => log.debug({ event: 'note.lost', unit, err: error }))
      .finally(() => {
        writing = false;
      });
  };
}
