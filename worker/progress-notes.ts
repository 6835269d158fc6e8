import { writeDocument } from './io/documents.ts';
import { jobKeys } from './plan/keys.ts';
import { parseNote } from './plan/progress.ts';
import type { Context, Services } from './services.ts';

/** A person who watches needs no more; and at S3 each note costs: 3,600 of them two US cents. */
const INTERVAL_SECONDS = { here: 1, cloud: 10 };

/**
 * Returns a function that notes how much of a unit is done, 0 to 1, once in a while. A note is
 * for screens only: one that cannot be written is no failure of the unit.
 */
export function noteProgress(
  { store, config }: Services,
  jobId: string,
  unit: string,
  { log }: Context,
): (done: number) => void {
  const interval = INTERVAL_SECONDS[config.VODSTACK_HOME === 'aws:' ? 'cloud' : 'here'] * 1000;
  let writing = false;
  let written = -Infinity;
  return (done) => {
    if (writing || performance.now() - written < interval) return;
    writing = true;
    written = performance.now();
    writeDocument(
      store,
      config.WORK_BUCKET,
      jobKeys(jobId).note(unit),
      { done: Math.min(1, done) },
      parseNote,
    )
      .catch((error: unknown) => log.debug({ event: 'note.lost', unit, err: error }))
      .finally(() => {
        writing = false;
      });
  };
}
