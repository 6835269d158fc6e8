import type { WorkerConfig } from '../environment.ts';
import type { ObjectStore, Queue } from '../storage/ports.ts';

/** The names of the three buckets. */
export type Buckets = Pick<WorkerConfig, 'SOURCE_BUCKET' | 'WORK_BUCKET' | 'DELIVERY_BUCKET'>;

/** The buckets, in which everything stands that is known of jobs and assets. */
export interface Catalog<Names extends keyof Buckets = keyof Buckets> {
  readonly store: ObjectStore;
  readonly config: Pick<Buckets, Names>;
}

/** The same, with both queues of work as one. */
export interface WorkCatalog<Names extends keyof Buckets = keyof Buckets> extends Catalog<Names> {
  readonly jobs: Queue;
}
