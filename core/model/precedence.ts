import { PoisonError } from './errors.ts';
import { parseMessage } from './message.ts';
import type { Message } from './message.ts';

/** A chunk is half a minute to a minute (plan/grid.ts): what a viewer needs to begin. */
const FIRST_CHUNK = 'video-00000';

/**
 * The job of a message that can wait: a chunk of a video after its first one. Undefined for everything that comes
 * first: uploads, jobs, checks, and the units without which no minute of a video can be played.
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
