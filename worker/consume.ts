import { setInterval } from 'node:timers/promises';
import { BackendLostError, LeaseLostError } from '../core/model/errors.ts';
import type { Queue, ReceivedMessage } from '../core/storage/ports.ts';
import type { Logger } from '../core/log.ts';
import { outcomeOf } from './plan/outcome.ts';
import type { Context } from './services.ts';

export interface ConsumeOptions {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly visibilitySeconds: number;
  /** At least 2: the last receive does no work, it only reports. */
  readonly maxReceives: number;
  /** How often the work may fail. */
  readonly maxFailures: number;
  readonly retrySeconds: number;
  handle(body: string, context: Context): Promise<void>;
  /** Reports that a message goes to the dead letters; false when its work turns out to be done. */
  giveUp(body: string, why: unknown, context: Context): Promise<boolean>;
  /** Called after each message whose work has ended. */
  onDone?(): void;
  /** Told before each work, and whenever there is none: whether this worker may be stopped without loss. */
  onBusy?(isBusy: boolean): Promise<void>;
  /** Called whenever there was no message for a while. */
  idle(context: Context): Promise<void>;
  readonly log: Logger;
  readonly stop: AbortSignal;
}

/**
 * Takes one message at a time until told to stop, and keeps it hidden while it is worked on. What
 * happens to it then follows from the error and the receive count alone: see plan/outcome.ts. Throws
 * HomeLostError alone.
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
      if (message) await work(options, message);
      else await options.idle({ log: options.log, signal: stop });
    } catch (error) {
      // No other try ends otherwise, and what would be written would be lost.
      if (error instanceof BackendLostError) throw error;
      if (stopped()) return;
      // The queue itself is out of reach: a message that was in hand comes back by its visibility.
      failures += 1;
      options.log.error({ event: 'queue.failed', queue: queue.name, failures, err: error });
      await pause(Math.min(2 ** failures, 30), stop);
    }
  }
}

async function work(options: ConsumeOptions, message: ReceivedMessage): Promise<void> {
  const { queue, deadLetters, maxReceives, maxFailures, retrySeconds, stop } = options;
  const { messageId, receipt, receiveCount, failures, body } = message;
  const log = options.log.child({ messageId, receiveCount, failures });
  const isFirst = receiveCount === 1 && failures === 0;
  const waited = { queueWaitSeconds: Math.max(0, Date.now() - message.sentAt.getTime()) / 1000 };
  log.info({ event: 'message.received', ...(isFirst ? waited : { redone: 1 }) });
  const lease = new AbortController();
  const done = new AbortController();
  const heart = beat(options, message, lease, done.signal);
  const context = { log, signal: AbortSignal.any([stop, lease.signal]) };
  let failure: unknown;
  try {
    if (receiveCount < maxReceives) await options.handle(body, context);
    else failure = new Error(`It was delivered ${receiveCount} times and no worker finished it.`);
  } catch (error) {
    failure = error;
  }
  try {
    const stopping = stop.aborted;
    const outcome = outcomeOf(lease.signal.aborted ? lease.signal.reason : failure, {
      ...{ receiveCount, maxReceives, failures, maxFailures, stopping, retrySeconds },
    });
    const expected = outcome.kind === 'acknowledge' || (outcome.kind === 'resend' && stopping);
    log[expected ? 'debug' : 'warn']({ event: 'message.outcome', outcome, err: failure });
    switch (outcome.kind) {
      case 'acknowledge':
        await queue.acknowledge(receipt);
        return options.onDone?.();
      case 'resend':
        return await queue.resend(message, outcome.failures, outcome.afterSeconds);
      case 'dead':
        if (await options.giveUp(body, failure, context)) await deadLetters.send(body);
        return await queue.acknowledge(receipt);
      case 'forget':
        return;
    }
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
    log.warn({ event: 'message.lost', err: error });
  } finally {
    done.abort();
    await heart;
  }
}

/** Extends the message's visibility every third of it; a lost lease ends the work, as another has it now. */
async function beat(
  options: ConsumeOptions,
  message: ReceivedMessage,
  lease: AbortController,
  done: AbortSignal,
): Promise<void> {
  const { queue, visibilitySeconds } = options;
  let extendedAt = performance.now();
  try {
    for await (const _ of setInterval((visibilitySeconds * 1000) / 3, undefined, {
      signal: done,
    })) {
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

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of setInterval(seconds * 1000, undefined, { signal })) return;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
