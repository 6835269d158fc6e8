import type { WorkerConfig } from './config.ts';
import { openJobQueue } from './io/job-queue.ts';
import type { Home, ObjectStore, Queue } from './io/ports.ts';
import type { Logger } from './log.ts';

/** What every step of the pipeline may use; made once, in main.ts. */
export interface Services {
  readonly config: WorkerConfig;
  readonly store: ObjectStore;
  /** Both queues of work, as one. */
  readonly jobs: Queue;
  readonly deadLetters: Queue;
  readonly events: Queue;
  /** This process's own scratch folder. */
  readonly scratch: string;
}

/** One message's surroundings: its logger, and the signal that ends the work early. */
export interface Context {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export function openServices(config: WorkerConfig, home: Home, scratch: string): Services {
  return {
    config,
    store: home.store,
    jobs: openJobQueue(home, config),
    deadLetters: home.queue(config.DEAD_LETTER_QUEUE),
    events: home.queue(config.EVENT_QUEUE),
    scratch,
  };
}
