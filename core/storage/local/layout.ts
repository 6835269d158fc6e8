import { pathToFileURL } from 'node:url';
import type { WorkerEnv } from '../../environment.ts';
import { REDRIVE_RECEIVES } from '../../model/queue-limits.ts';
import { BUCKETS, QUEUES } from '../../model/roles.ts';

/** The entries of a data folder. */
export const INDEX = 'index.sqlite';
export const BLOBS = 'blobs';
export const BACKUPS = 'backups';
/** Holds the files that belonged to no object when the index was rebuilt. */
export const UNCLAIMED = 'unclaimed';

/** The connections between buckets and queues. */
export interface LocalLayout {
  /** Bucket to queue: the queue receives an event for each upload. */
  readonly notifications: Readonly<Record<string, string>>;
  /** Queue to dead-letter queue: a message moves there after `maxReceives` deliveries. */
  readonly redrive: Readonly<Record<string, { readonly to: string; readonly maxReceives: number }>>;
}

const REDRIVE = { to: QUEUES.deadLetters, maxReceives: REDRIVE_RECEIVES };

export const LOCAL_LAYOUT: LocalLayout = {
  notifications: { [BUCKETS.source]: QUEUES.jobs },
  redrive: { [QUEUES.jobs]: REDRIVE, [QUEUES.units]: REDRIVE },
};

/** The variables of a worker's environment that name the backend, its buckets and its queues. */
export function layoutEnv(directory: string): WorkerEnv {
  return {
    VODSTACK_HOME: pathToFileURL(directory).href,
    SOURCE_BUCKET: BUCKETS.source,
    WORK_BUCKET: BUCKETS.work,
    DELIVERY_BUCKET: BUCKETS.delivery,
    JOB_QUEUE: QUEUES.jobs,
    UNIT_QUEUE: QUEUES.units,
    DEAD_LETTER_QUEUE: QUEUES.deadLetters,
    EVENT_QUEUE: QUEUES.events,
  };
}
