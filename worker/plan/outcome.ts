import {
  FaultyOutputError,
  LeaseLostError,
  PoisonError,
  RejectedError,
  UnreadableError,
} from '../../core/model/errors.ts';

/**
 * What happens to a message after its work:
 *
 * | the work                     | outcome       |                                              |
 * | ---------------------------- | ------------- | -------------------------------------------- |
 * | ended well, or was rejected  | acknowledge   | delete it                                    |
 * | lost its lease               | forget        | another worker has it                        |
 * | was stopped by us            | resend        | at once: that is no failure                  |
 * | cannot be understood         | dead          | to the dead letters, at once                 |
 * | met an unreadable document   | dead          | report it, then to the dead letters, at once |
 * | made other than was planned  | dead          | report it, then to the dead letters, at once |
 * | failed, and was the last try | dead          | report it, then to the dead letters          |
 * | failed                       | resend        | again later: 1, 2, 4 … times `retrySeconds`  |
 *
 * A failure counts toward `maxFailures`. A worker that dies says nothing: the queue delivers the message
 * again, and only counts its receives, which begin anew with each copy. Their limit is the larger one, as a
 * death is seldom the message's fault; the last receive does no work, and reports.
 */
export type Outcome =
  | { readonly kind: 'acknowledge' | 'forget' | 'dead' }
  | { readonly kind: 'resend'; readonly failures: number; readonly afterSeconds: number };

export interface Delivery {
  /** 1 on the first delivery. */
  readonly receiveCount: number;
  readonly maxReceives: number;
  /** Before this delivery. */
  readonly failures: number;
  readonly maxFailures: number;
  readonly retrySeconds: number;
  readonly stopping: boolean;
}

/** No further try would end otherwise. */
const FINAL = [PoisonError, FaultyOutputError, UnreadableError];

/** SQS delays a message by at most 15 minutes. */
const MAX_DELAY_SECONDS = 900;

/** Decides by the error that ended the work, `undefined` when none did. */
export function outcomeOf(error: unknown, delivery: Delivery): Outcome {
  const { receiveCount, maxReceives, maxFailures, retrySeconds, stopping } = delivery;
  if (error === undefined || error instanceof RejectedError) return { kind: 'acknowledge' };
  if (error instanceof LeaseLostError) return { kind: 'forget' };
  if (FINAL.some((kind) => error instanceof kind)) return { kind: 'dead' };
  if (receiveCount >= maxReceives) return { kind: 'dead' };
  if (stopping) return { kind: 'resend', failures: delivery.failures, afterSeconds: 0 };
  const failures = delivery.failures + 1;
  if (failures >= maxFailures) return { kind: 'dead' };
  const afterSeconds = Math.min(MAX_DELAY_SECONDS, retrySeconds * 2 ** (failures - 1));
  return { kind: 'resend', failures, afterSeconds };
}
