import type { Backend } from '../../../../core/storage/ports.ts';

/** A backend to be tested: empty, with two buckets and four queues. */
export interface ContractBackend {
  readonly backend: Backend;
  readonly buckets: {
    readonly plain: string;
    /** Tells the queue `uploads` of each upload. */
    readonly watched: string;
  };
  readonly queues: {
    readonly uploads: string;
    /** Gives up to `deadLetters` after two receives. */
    readonly jobs: string;
    /** Likewise. */
    readonly units: string;
    readonly deadLetters: string;
  };
  close(): Promise<void>;
}

/** A kind of backend to be tested, how much of it, and what it promises less than one machine does. */
export interface Subject {
  readonly open: () => Promise<ContractBackend>;
  /** The size of the large upload: a lecture has a gibibyte. */
  readonly largeMib: number;
  /** How many objects the long listing has; more than a thousand, as a page of S3 has no more. */
  readonly many: number;
  readonly delivery: 'once' | 'at least once';
  /** Whether a message can be acknowledged by the receipt of an earlier delivery. */
  readonly lateReceipts: 'refused' | 'accepted';
}
