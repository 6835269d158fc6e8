import type { Home } from '../../../worker/io/ports.ts';

/** A home to be tested: empty, with two buckets and three queues. */
export interface ContractHome {
  readonly home: Home;
  readonly buckets: {
    readonly plain: string;
    /** Tells the queue `uploads` of each upload. */
    readonly watched: string;
  };
  readonly queues: {
    readonly uploads: string;
    /** Gives up to `deadLetters` after two receives. */
    readonly jobs: string;
    readonly deadLetters: string;
  };
  close(): Promise<void>;
}
