import { pathToFileURL } from 'node:url';
import type { WorkerEnv } from '../../environment.ts';

/** What lies in a home's folder. */
export const INDEX = 'index.sqlite';
export const BLOBS = 'blobs';
export const BACKUPS = 'backups';
/** Where a rebuilt index puts files that are no objects. */
export const UNCLAIMED = 'unclaimed';

/** The buckets and queues of one machine, under the names that its workers are given. */
export const LOCAL_NAMES = {
  sourceBucket: 'source',
  workBucket: 'work',
  deliveryBucket: 'delivery',
  jobQueue: 'jobs',
  unitQueue: 'units',
  deadLetterQueue: 'dead-letters',
  eventQueue: 'events',
} as const;

/** Which bucket tells which queue of uploads, and which queue gives up where to. */
export interface LocalLayout {
  /** Bucket to queue: an event for each upload. */
  readonly notifications: Readonly<Record<string, string>>;
  /** A message received more often than this goes to the dead letters by itself. */
  readonly redrive: Readonly<Record<string, { readonly to: string; readonly maxReceives: number }>>;
}

/**
 * Deliveries before the queue itself gives up. The worker does so earlier (MAX_RECEIVES), and tells of
 * it; the rest is for workers that die in telling.
 */
const MOST_RECEIVES = 30;

const REDRIVE = { to: LOCAL_NAMES.deadLetterQueue, maxReceives: MOST_RECEIVES };

export const LOCAL_LAYOUT: LocalLayout = {
  notifications: { [LOCAL_NAMES.sourceBucket]: LOCAL_NAMES.jobQueue },
  redrive: { [LOCAL_NAMES.jobQueue]: REDRIVE, [LOCAL_NAMES.unitQueue]: REDRIVE },
};

/** The environment of a worker whose backend is that folder; the rest of it is the caller's. */
export function layoutEnv(directory: string): WorkerEnv {
  return {
    VODSTACK_HOME: pathToFileURL(directory).href,
    SOURCE_BUCKET: LOCAL_NAMES.sourceBucket,
    WORK_BUCKET: LOCAL_NAMES.workBucket,
    DELIVERY_BUCKET: LOCAL_NAMES.deliveryBucket,
    JOB_QUEUE: LOCAL_NAMES.jobQueue,
    UNIT_QUEUE: LOCAL_NAMES.unitQueue,
    DEAD_LETTER_QUEUE: LOCAL_NAMES.deadLetterQueue,
    EVENT_QUEUE: LOCAL_NAMES.eventQueue,
  };
}
