import type { Backend } from '../../../../core/storage/ports.ts';

/** An empty backend to test, with two buckets and four queues. */
export interface ContractBackend {
  readonly backend: Backend;
  readonly buckets: {
    readonly plain: string;
    /** Sends an event of each upload to the queue `uploads`. */
    readonly watched: string;
  };
  readonly queues: {
    readonly uploads: string;
    /** Moves messages to `deadLetters` after two receives. */
    readonly jobs: string;
    /** Like `jobs`. */
    readonly units: string;
    readonly deadLetters: string;
  };
  close(): Promise<void>;
}

/** A kind of backend to test, the extent of the test, and where the backend promises less than the local one. */
export interface Subject {
  readonly open: () => Promise<ContractBackend>;
  /** The size of the large upload. A lecture has about 1024. */
  readonly largeMib: number;
  /** The number of objects of the long listing: more than the thousand of a page of S3. */
  readonly many: number;
  readonly delivery: 'once' | 'at least once';
  /** Whether a message can be acknowledged with the receipt of an earlier delivery. */
  readonly lateReceipts: 'refused' | 'accepted';
}
