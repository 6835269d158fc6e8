import { intake } from './intake.ts';
import { parseMessage } from './plan/message.ts';
import { finishWhenDone } from './publish.ts';
import { reportFailure, rejecting } from './report.ts';
import type { Context, Services } from './services.ts';
import { makeUnit } from './unit.ts';
import { serialiseJob } from './plan/message.ts';

/**
 * The pipeline: a message is an upload, a job or a unit. An upload is a job with the usual options;
 * a job is probed, planned and sent on as units; the worker that ends the last unit publishes.
 * Throws what plan/outcome.ts understands.
 */
export async function handleMessage(
  services: Services,
  body: string,
  context: Context,
): Promise<void> {
  const message = parseMessage(body);
  switch (message.type) {
    case 'ignored':
      context.log.info({ event: 'message.ignored', reason: message.reason });
      return;
    case 'uploads': {
      const [first, ...others] = message.uploads;
      if (!first) return;
      // Several at once are told apart first: each is retried, rejected and reported by itself.
      if (others.length === 0) return handleJob(services, { source: first, options: {} }, context);
      for (const source of message.uploads) {
        await services.jobs.send(serialiseJob({ source, options: {} }));
      }
      return;
    }
    case 'job':
      return handleJob(services, message, context);
    case 'unit':
      return handleUnit(services, message, context);
  }
}
