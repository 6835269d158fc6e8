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
 * | the work                               | outcome     |                                         |
 * | -------------------------------------- | ----------- | --------------------------------------- |
 * | succeeded, or was rejected             | acknowledge | delete the message                      |
 * | lost its lease                         | forget      | another worker has the message          |
 * | was stopped with the worker            | resend      | at once; this is not a failure          |
 * | could not understand the message       | dead        | dead-letter queue, at once              |
 * | read an invalid document               | dead        | report, then dead-letter queue, at once |
 * | made output that differs from the plan | dead        | report, then dead-letter queue, at once |
 * | failed in the last attempt             | dead        | report, then dead-letter queue          |
 * | failed                                 | resend      | after 1, 2, 4 … times `retrySeconds`    |
 *
 * Failures count toward `maxFailures`. If a worker dies, the queue delivers the message again and increases only its
 * receive count, which restarts with each copy of the message. `maxReceives` is the larger limit, because the message
 * is seldom the cause of a death. The last receive does no work and only reports the failure.
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

/** Errors that another attempt cannot avoid. */
const FINAL = [PoisonError, FaultyOutputError, UnreadableError];

/** SQS delays a message by at most 15 minutes. */
const MAX_DELAY_SECONDS = 900;

/** Decides from the error that ended the work, or from `undefined` if it succeeded. */
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
