import type { WorkerConfig } from '../environment.ts';
import type { ObjectStore, Queue } from '../storage/ports.ts';

/** The names of the three buckets. */
export type Buckets = Pick<WorkerConfig, 'SOURCE_BUCKET' | 'WORK_BUCKET' | 'DELIVERY_BUCKET'>;

/** The buckets, which hold all that is known about jobs and assets. There is no other database. */
export interface Catalog<Names extends keyof Buckets = keyof Buckets> {
  readonly store: ObjectStore;
  readonly config: Pick<Buckets, Names>;
}

/** The catalog, and the queues of work, opened as one (core/storage/job-queue.ts). */
export interface WorkCatalog<Names extends keyof Buckets = keyof Buckets> extends Catalog<Names> {
  readonly jobs: Queue;
}
