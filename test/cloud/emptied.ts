import { takeDeadLetters } from '../../worker/io/dead-letters.ts';
import type { Queue } from '../../worker/io/ports.ts';

/** Everything that a queue had. */
export async function emptied(queue: Queue): Promise<readonly string[]> {
  const messages = await takeDeadLetters(queue, 60);
  for (const { receipt } of messages) await queue.acknowledge(receipt);
  return messages.map(({ body }) => body);
}
