import type { Queue, ReceivedMessage } from './ports.ts';

/**
 * Receives up to `limit` dead letters, and hides them for `visibilitySeconds`. The caller releases, returns or
 * acknowledges each of them. A letter that the queue delivers twice is returned once, with its newest receipt.
 */
export async function takeDeadLetters(
  deadLetters: Queue,
  visibilitySeconds: number,
  limit = Infinity,
): Promise<readonly ReceivedMessage[]> {
  const taken = new Map<string, ReceivedMessage>();
  while (taken.size < limit) {
    const max = Math.min(10, limit - taken.size);
    const letters = await deadLetters.receive({ max, waitSeconds: 0, visibilitySeconds });
    if (letters.length === 0) break;
    for (const letter of letters) taken.set(letter.messageId, letter);
  }
  return [...taken.values()];
}

/** Sends a letter back to the job queue, and then deletes it. The message may come twice, but is never lost. */
export async function returnDeadLetter(
  deadLetters: Queue,
  { body, receipt }: ReceivedMessage,
  jobs: Queue,
): Promise<void> {
  await jobs.send(body);
  await deadLetters.acknowledge(receipt);
}

/**
 * Sends all dead letters back to the job queue. Returns their number. It receives all of them before it sends one, as
 * a worker moves a message that it cannot parse to the dead letters again at once.
 */
export async function returnDeadLetters(deadLetters: Queue, jobs: Queue): Promise<number> {
  const letters = await takeDeadLetters(deadLetters, 300);
  for (const letter of letters) await returnDeadLetter(deadLetters, letter, jobs);
  return letters.length;
}
