import type { Queue } from './ports.ts';

/** Sends every dead letter back to where it failed; returns how many. A letter that is not sent stays. */
export async function returnDeadLetters(deadLetters: Queue, jobs: Queue): Promise<number> {
  let returned = 0;
  for (;;) {
    const letters = await deadLetters.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30 });
    if (letters.length === 0) return returned;
    for (const { body, receipt } of letters) {
      await jobs.send(body);
      await deadLetters.acknowledge(receipt);
      returned += 1;
    }
  }
}
