import type { WorkerConfig } from '../core/environment.ts';
import type { Logger } from '../core/log.ts';
import { openJobQueue } from '../core/storage/job-queue.ts';
import type { Backend, ObjectStore, Queue } from '../core/storage/ports.ts';

/** What every step of the pipeline may use; created once, in main.ts. */
export interface Services {
  readonly config: WorkerConfig;
  readonly store: ObjectStore;
  /** The job queue and the unit queue, combined. */
  readonly jobs: Queue;
  readonly deadLetters: Queue;
  readonly events: Queue;
  /** The scratch folder of this process. */
  readonly scratch: string;
}

/** The logger of one message, and the signal that aborts the work on it. */
export interface Context {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export function openServices(config: WorkerConfig, backend: Backend, scratch: string): Services {
  return {
    config,
    store: backend.store,
    jobs: openJobQueue(backend, config),
    deadLetters: backend.queue(config.DEAD_LETTER_QUEUE),
    events: backend.queue(config.EVENT_QUEUE),
    scratch,
  };
}
