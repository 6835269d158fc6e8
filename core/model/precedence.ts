import { PoisonError } from './errors.ts';
import { parseMessage } from './message.ts';
import type { Message } from './message.ts';

/** The first 30 to 60 seconds (worker/plan/grid.ts), which a viewer needs to start. */
const FIRST_CHUNK = 'video-00000';

/**
 * Returns the job id of a message that can wait: a chunk of a video after the first one. Returns undefined for urgent
 * messages: uploads, jobs, checks, and the units without which no part of a video can be played.
 */
export function deferrableJob(body: string): string | undefined {
  const message = tryParse(body);
  if (message?.type !== 'unit') return undefined;
  const { jobId, unit } = message;
  return unit.startsWith('video-') && unit !== FIRST_CHUNK ? jobId : undefined;
}

function tryParse(body: string): Message | undefined {
  try {
    return parseMessage(body);
  } catch (error) {
    if (error instanceof PoisonError) return undefined;
    throw error;
  }
}
