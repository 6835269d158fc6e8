import { createInterface } from 'node:readline/promises';
import { printable } from '../../core/model/printable.ts';

/** Asks the person at the terminal, and returns the answer. Throws if `stop` aborts meanwhile. */
export async function ask(question: string, stop: AbortSignal): Promise<string> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  // readline takes Ctrl-C from the terminal.
  asking.once('SIGINT', () => process.emit('SIGINT'));
  try {
    return (await asking.question(`${printable(question)} `, { signal: stop })).trim();
  } finally {
    asking.close();
  }
}
