import { setInterval, setTimeout as after } from 'node:timers/promises';
import type { Logger } from '../core/log.ts';
import { BackendLostError, LeaseLostError } from '../core/model/errors.ts';
import type { Queue, ReceivedMessage } from '../core/storage/ports.ts';
import { outcomeOf } from './plan/outcome.ts';
import type { Context } from './services.ts';

export interface ConsumeOptions {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly visibilitySeconds: number;
  /** At least 2: the last receive only reports the failure. */
  readonly maxReceives: number;
  /** A message whose work has failed this often becomes a dead letter. */
  readonly maxFailures: number;
  /** The delay before the first retry; it doubles with each further one. */
  readonly retrySeconds: number;
  handle(body: string, context: Context): Promise<void>;
  /** Reports a message that will not be retried. Returns false if it need not be kept as a dead letter. */
  handleDeadLetter(body: string, error: unknown, context: Context): Promise<boolean>;
  /** Called after each message that was acknowledged as done. */
  onDone?(): void;
  /** Called with true before each message, and with false after each receive that returned none. */
  onBusy?(isBusy: boolean): Promise<void>;
  /** Called after each receive that returned no message. */
  onIdle(context: Context): Promise<void>;
  readonly log: Logger;
  readonly stop: AbortSignal;
}

/**
 * Handles one message at a time until `stop` is aborted, and keeps the message hidden meanwhile. What happens to
 * the message afterwards is decided in worker/plan/outcome.ts. Throws only BackendLostError.
 */
export async function consume(options: ConsumeOptions): Promise<void> {
  const { queue, visibilitySeconds, stop } = options;
  const stopped = () => stop.aborted;
  let failures = 0;
  while (!stopped()) {
    try {
      const [message] = await queue.receive({
        max: 1,
        waitSeconds: 20,
        visibilitySeconds,
        signal: stop,
      });
      failures = 0;
      await options.onBusy?.(message !== undefined);
      if (message) await handleOne(options, message);
      else await options.onIdle({ log: options.log, signal: stop });
    } catch (error) {
      // A retry cannot help, and anything written now would be lost.
      if (error instanceof BackendLostError) throw error;
      if (stopped()) return;
      // The queue is out of reach. A message in flight is delivered again after its visibility timeout.
      failures += 1;
      options.log.error({ event: 'queue.failed', queue: queue.name, failures, err: error });
      const seconds = Math.min(2 ** failures, 30);
      await after(seconds * 1000, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}

async function handleOne(options: ConsumeOptions, message: ReceivedMessage): Promise<void> {
  const { queue, deadLetters, maxReceives, maxFailures, retrySeconds, stop } = options;
  const { messageId, receipt, receiveCount, failures, body } = message;
  const log = options.log.child({ messageId, receiveCount, failures });
  const isFirst = receiveCount === 1 && failures === 0;
  const waited = { queueWaitSeconds: Math.max(0, Date.now() - message.sentAt.getTime()) / 1000 };
  log.info({ event: 'message.received', ...(isFirst ? waited : { redone: 1 }) });
  const lease = new AbortController();
  const done = new AbortController();
  const heartbeat = keepLease(options, message, lease, done.signal);
  const context = { log, signal: AbortSignal.any([stop, lease.signal]) };
  let failure: unknown;
  try {
    if (receiveCount >= maxReceives) {
      throw new Error(`The message was delivered ${receiveCount} times, but never completed.`);
    }
    await options.handle(body, context);
  } catch (error) {
    failure = error;
  }
  try {
    const stopping = stop.aborted;
    const error: unknown = lease.signal.aborted ? lease.signal.reason : failure;
    const delivery = { receiveCount, maxReceives, failures, maxFailures, stopping, retrySeconds };
    const outcome = outcomeOf(error, delivery);
    const expected = outcome.kind === 'acknowledge' || (outcome.kind === 'resend' && stopping);
    log[expected ? 'debug' : 'warn']({ event: 'message.outcome', outcome, err: failure });
    switch (outcome.kind) {
      case 'acknowledge':
        await queue.acknowledge(receipt);
        return options.onDone?.();
      case 'resend':
        return await queue.resend(message, outcome.failures, outcome.afterSeconds);
      case 'dead':
        if (await options.handleDeadLetter(body, failure, context)) await deadLetters.send(body);
        return await queue.acknowledge(receipt);
      case 'forget':
        return;
    }
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
    log.warn({ event: 'message.lost', err: error });
  } finally {
    done.abort();
    await heartbeat;
  }
}

/**
 * Extends the visibility timeout of a message each time a third of it has passed. Aborts `lease` when the timeout could
 * not be extended in time: another worker may have the message then.
 */
async function keepLease(
  options: ConsumeOptions,
  message: ReceivedMessage,
  lease: AbortController,
  done: AbortSignal,
): Promise<void> {
  const { queue, visibilitySeconds } = options;
  let extendedAt = performance.now();
  try {
    const ticks = setInterval((visibilitySeconds * 1000) / 3, undefined, { signal: done });
    for await (const _ of ticks) {
      try {
        await queue.extend(message.receipt, visibilitySeconds);
        extendedAt = performance.now();
      } catch (error) {
        const expired = performance.now() - extendedAt >= visibilitySeconds * 1000;
        if (error instanceof LeaseLostError || expired) {
          lease.abort(error instanceof LeaseLostError ? error : new LeaseLostError(String(error)));
          return;
        }
        options.log.warn({ event: 'heartbeat.failed', messageId: message.messageId, err: error });
      }
    }
  } catch (error) {
    if (!done.aborted) throw error;
  }
}
