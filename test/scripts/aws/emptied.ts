import { takeDeadLetters } from '../../../core/storage/dead-letter-queue.ts';
import type { Queue } from '../../../core/storage/ports.ts';

/** Everything that a queue had. */
export async function emptied(queue: Queue): Promise<readonly string[]> {
  const messages = await takeDeadLetters(queue, 60);
  for (const { receipt } of messages) await queue.acknowledge(receipt);
  return messages.map(({ body }) => body);
}
