import { takeDeadLetters } from '../core/storage/dead-letter-queue.ts';
import { giveUp, isOfDeleted, jobOf } from './pipeline.ts';
import { readValidResult } from '../core/catalog/results.ts';
import type { Context, Services } from './services.ts';

/** How long a letter is hidden while it is looked at. */
const VISIBILITY_SECONDS = 30;

/**
 * Returns a function for idle workers that reports what the queue itself has moved to the dead letters:
 * a message whose workers died each time, or could not report it. Nobody works on its job any more when
 * the job queue is empty.
 */
export function redrivenReporter(services: Services): (context: Context) => Promise<void> {
  const { jobs, deadLetters, store, config } = services;
  let looked = 0;
  return async (context) => {
    const { visible } = await deadLetters.counts();
    if (visible === looked) return;
    const open = await jobs.counts();
    if (open.visible + open.inFlight + open.delayed > 0) return;
    looked = visible;
    for (const { body, receipt } of await takeDeadLetters(deadLetters, VISIBILITY_SECONDS)) {
      if (await isOfDeleted(services, body, context)) {
        await deadLetters.acknowledge(receipt);
        continue;
      }
      const job = await jobOf(services, body);
      const reported = !job || (await readValidResult(store, config.WORK_BUCKET, job.jobId));
      const why = new Error('Its workers ended each time without a word.');
      if (reported || (await giveUp(services, body, why, context))) {
        await deadLetters.release(receipt);
      } else {
        await deadLetters.acknowledge(receipt);
      }
    }
  };
}
