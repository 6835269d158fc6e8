import { pathToFileURL } from 'node:url';
import type { WorkerEnv } from '../../environment.ts';
import { REDRIVE_RECEIVES } from '../../model/queue-limits.ts';
import { BUCKETS, QUEUES } from '../../model/roles.ts';

/** What lies in a home's folder. */
export const INDEX = 'index.sqlite';
export const BLOBS = 'blobs';
export const BACKUPS = 'backups';
/** Where a rebuilt index puts files that are no objects. */
export const UNCLAIMED = 'unclaimed';

/** Which bucket tells which queue of uploads, and which queue gives up where to. */
export interface LocalLayout {
  /** Bucket to queue: an event for each upload. */
  readonly notifications: Readonly<Record<string, string>>;
  /** A message received more often than this goes to the dead letters by itself. */
  readonly redrive: Readonly<Record<string, { readonly to: string; readonly maxReceives: number }>>;
}

const REDRIVE = { to: QUEUES.deadLetters, maxReceives: REDRIVE_RECEIVES };

export const LOCAL_LAYOUT: LocalLayout = {
  notifications: { [BUCKETS.source]: QUEUES.jobs },
  redrive: { [QUEUES.jobs]: REDRIVE, [QUEUES.units]: REDRIVE },
};

/** The environment of a worker whose backend is that folder; the rest of it is the caller's. */
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
