import { z } from 'zod';
import type { Logger } from '../core/log.ts';

/** A worker that says nothing for so long may be stopped. One that is at work says so anew long before. */
const EXPIRES_MINUTES = 120;
const RENEW_MILLISECONDS = 30 * 60_000;
const PATIENCE_MILLISECONDS = 5_000;

const answerSchema = z.object({
  failure: z.object({ Reason: z.string() }).optional(),
  error: z.object({ Message: z.string() }).optional(),
});

/**
 * Asks ECS not to stop this task while it is at work, when fewer workers are wanted or a new version is
 * deployed: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
 * A worker that cannot ask works all the same, as one that is stopped gives its unit back.
 */
export function taskProtection(agent: string, log: Logger): (isBusy: boolean) => Promise<void> {
  const url = `${agent}/task-protection/v1/state`;
  let isProtected = false;
  let setAt = 0;
  return async (isBusy) => {
    const isFresh = performance.now() - setAt < RENEW_MILLISECONDS;
    if (isBusy === isProtected && (isFresh || !isBusy)) return;
    const body = {
      ProtectionEnabled: isBusy,
      ...(isBusy && { ExpiresInMinutes: EXPIRES_MINUTES }),
    };
    try {
      const response = await fetch(url, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
      });
      const { failure, error } = answerSchema.parse(await response.json());
      const why = failure?.Reason ?? error?.Message;
      if (!response.ok || why !== undefined) throw new Error(why ?? String(response.status));
      isProtected = isBusy;
      setAt = performance.now();
    } catch (error) {
      log.warn({ event: 'protection.failed', isBusy, err: error });
    }
  };
}
