import type { Queue, ReceivedMessage } from './ports.ts';

/**
 * Takes dead letters into hand, up to so many, and hides them for so long; whoever takes them gives
 * each back (`release`), or returns or acknowledges it. A queue may deliver one twice: it is taken once.
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

/** Sends a letter back to where it failed. It is deleted after it is sent: it may come twice, never not at all. */
export async function returnDeadLetter(
  deadLetters: Queue,
  { body, receipt }: ReceivedMessage,
  jobs: Queue,
): Promise<void> {
  await jobs.send(body);
  await deadLetters.acknowledge(receipt);
}

/**
 * Sends every dead letter back; returns how many. All are taken first: a worker puts one that nobody
 * understands with the dead letters again at once.
 */
export async function returnDeadLetters(deadLetters: Queue, jobs: Queue): Promise<number> {
  const letters = await takeDeadLetters(deadLetters, 300);
  for (const letter of letters) await returnDeadLetter(deadLetters, letter, jobs);
  return letters.length;
}
