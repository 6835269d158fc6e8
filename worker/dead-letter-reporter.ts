import { readValidResult } from '../core/catalog/results.ts';
import { takeDeadLetters } from '../core/storage/dead-letter-queue.ts';
import { purgeIfJobDeleted, handleDeadLetter, jobOf } from './pipeline.ts';
import type { Context, Services } from './services.ts';

/** How long a dead letter is hidden while it is examined. */
const VISIBILITY_SECONDS = 30;

/**
 * Returns a function for idle workers that reports the dead letters that the queue itself has moved: messages whose
 * workers died each time, or could not report them. It waits until the job queue is empty, as no worker can be busy
 * with their jobs then.
 */
export function createDeadLetterReporter(services: Services): (context: Context) => Promise<void> {
  const { jobs, deadLetters } = services;
  let lastCount = 0;
  return async (context) => {
    const { visible } = await deadLetters.counts();
    if (visible === lastCount) return;
    const open = await jobs.counts();
    if (open.visible + open.inFlight + open.delayed > 0) return;
    lastCount = visible;
    for (const { body, receipt } of await takeDeadLetters(deadLetters, VISIBILITY_SECONDS)) {
      const isKept = await reportDeadLetter(services, body, context);
      await (isKept ? deadLetters.release(receipt) : deadLetters.acknowledge(receipt));
    }
  };
}

/** Reports the job of a dead letter, unless it is reported already. Returns false if the letter need not be kept. */
async function reportDeadLetter(
  services: Services,
  body: string,
  context: Context,
): Promise<boolean> {
  if (await purgeIfJobDeleted(services, body, context)) return false;
  const job = await jobOf(services, body);
  if (!job || (await readValidResult(services, job.jobId))) return true;
  const error = new Error('Each worker of this message ended without a report.');
  return handleDeadLetter(services, body, error, context);
}
