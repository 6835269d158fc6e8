import { z } from 'zod';
import type { Logger } from '../core/log.ts';

/** ECS ends the protection after this long. A busy worker renews it long before. */
const EXPIRES_MINUTES = 120;
const RENEW_MILLISECONDS = 30 * 60_000;
const TIMEOUT_MILLISECONDS = 5_000;

const responseSchema = z.object({
  failure: z.object({ Reason: z.string() }).optional(),
  error: z.object({ Message: z.string() }).optional(),
});

/**
 * Protects this task from scale-in and deployments while it works on a message:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html
 * A worker that cannot be protected works all the same: if it is stopped, it returns its message to the queue.
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
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      });
      const { failure, error } = responseSchema.parse(await response.json());
      const reason = failure?.Reason ?? error?.Message;
      if (!response.ok || reason !== undefined) throw new Error(reason ?? String(response.status));
      isProtected = isBusy;
      setAt = performance.now();
    } catch (error) {
      log.warn({ event: 'protection.failed', isBusy, err: error });
    }
  };
}
