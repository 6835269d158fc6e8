import { writeProgressNote } from '../core/catalog/progress-notes.ts';
import type { Context, Services } from './services.ts';

/** A person who watches needs no more; and at S3 each note costs: 3,600 of them two US cents. */
const INTERVAL_SECONDS = { here: 1, cloud: 10 };

export interface Notes {
  /** Notes how much of the unit is done, 0 to 1, once in a while. */
  note(done: number): void;
  /** Resolves when no note is being written any more. */
  end(): Promise<void>;
}

/** Notes are for screens only: one that cannot be written is no failure of the unit. */
export function noteProgress(
  { store, config }: Services,
  jobId: string,
  unit: string,
  { log }: Context,
): Notes {
  const interval = INTERVAL_SECONDS[config.VODSTACK_HOME === 'aws:' ? 'cloud' : 'here'] * 1000;
  let writing: Promise<void> | undefined;
  let written = -Infinity;
  const note = (done: number) => {
    if (writing || performance.now() - written < interval) return;
    written = performance.now();
    writing = writeProgressNote(store, config.WORK_BUCKET, { jobId, unit, done })
      .catch((error: unknown) => log.debug({ event: 'note.lost', unit, err: error }))
      .finally(() => {
        writing = undefined;
      });
  };
  return { note, end: async () => writing };
}
