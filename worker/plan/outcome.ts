import { FaultyOutputError, PoisonError, RejectedError, UnreadableError } from '../errors.ts';

/**
 * What happens to a message after its work:
 *
 * | the work                     | outcome       |                                              |
 * | ---------------------------- | ------------- | -------------------------------------------- |
 * | ended well, or was rejected  | acknowledge   | delete it                                    |
 * | lost its lease               | forget        | another worker has it                        |
 * | was stopped by us            | resend        | a fresh copy, so that no receive is used up  |
 * | cannot be understood         | dead          | to the dead letters, at once                 |
 * | met an unreadable document   | dead          | report it, then to the dead letters, at once |
 * | made other than was planned  | dead          | report it, then to the dead letters, at once |
 * | failed, and was the last try | dead          | report it, then to the dead letters          |
 * | failed                       | release       | again later: 1, 2, 4 … times `retrySeconds`  |
 */
export type Outcome =
  | { readonly kind: 'acknowledge' | 'forget' | 'resend' | 'dead' }
  | { readonly kind: 'release'; readonly afterSeconds: number };

export interface Delivery {
  /** 1 on the first delivery. */
  readonly receiveCount: number;
  readonly maxReceives: number;
  readonly retrySeconds: number;
  readonly stopping: boolean;
}

/** No further try would end otherwise. */
const FINAL = [PoisonError, FaultyOutputError, UnreadableError];

/** SQS delays a message by at most 15 minutes. */
const LONGEST_SECONDS = 900;

/** Decides by the error that ended the work, `undefined` when none did. */
export function outcomeOf(error: unknown, delivery: Delivery): Outcome {
  const { receiveCount, maxReceives, retrySeconds, stopping } = delivery;
  if (error === undefined || error instanceof RejectedError) return { kind: 'acknowledge' };
  if (error instanceof Error && error.name === 'LeaseLostError') return { kind: 'forget' };
  if (FINAL.some((kind) => error instanceof kind)) return { kind: 'dead' };
  if (receiveCount >= maxReceives) return { kind: 'dead' };
  if (stopping) return { kind: 'resend' };
  return {
    kind: 'release',
    afterSeconds: Math.min(LONGEST_SECONDS, retrySeconds * 2 ** (receiveCount - 1)),
  };
}
