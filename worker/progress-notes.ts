import { writeProgressNote } from '../core/catalog/progress-notes.ts';
import type { Context, Services } from './services.ts';

/** S3 charges for each note: 3,600 of them cost two US cents. */
const INTERVAL_SECONDS = { local: 1, aws: 10 };

export interface ProgressNotes {
  /** Notes which share of the unit is done, 0 to 1. Calls within the interval are dropped. */
  note(done: number): void;
  /** Resolves when no note is being written. */
  end(): Promise<void>;
}

/** Notes only inform people: if one cannot be written, the unit does not fail. */
export function openProgressNotes(
  services: Services,
  jobId: string,
  unit: string,
  { log }: Context,
): ProgressNotes {
  const interval =
    INTERVAL_SECONDS[services.config.VODSTACK_HOME === 'aws:' ? 'aws' : 'local'] * 1000;
  let writing: Promise<void> | undefined;
  let written = -Infinity;
  const note = (done: number) => {
    if (writing || performance.now() - written < interval) return;
    written = performance.now();
    writing = writeProgressNote(services, { jobId, unit, done })
      .catch((error: unknown) => log.debug({ event: 'note.lost', unit, err: error }))
      .finally(() => {
        writing = undefined;
      });
  };
  return { note, end: async () => writing };
}
