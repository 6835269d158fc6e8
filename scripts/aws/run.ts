import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface RunOptions {
  readonly stop: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  /** Its standard input, for what must not be in argv. */
  readonly input?: string;
  /** Where what it says goes: 1 for a result, 2 (the default) for people to follow. */
  readonly output?: 1 | 2;
}

/**
 * Runs a program to its end, in sight. To stop, it gets one SIGINT, and is waited for. Throws Error
 * when it fails, and the signal's reason when it was stopped.
 */
export async function run(
  program: string,
  argv: readonly string[],
  { stop, env = process.env, input, output = 2 }: RunOptions,
): Promise<void> {
  stop.throwIfAborted();
  const child = spawn(program, argv, {
    env,
    // In a group of its own: Ctrl-C in a terminal reaches everything in ours, and we send a signal, too.
    // Terraform drops what it is making at a second one.
    detached: true,
    // Not by way of us: who kills us must not break the pipe of a program that is making things.
    stdio: [input === undefined ? 'ignore' : 'pipe', output, 2],
  });
  const interrupt = () => void child.kill('SIGINT');
  stop.addEventListener('abort', interrupt, { once: true });
  // A program that ends before it has read that says itself why; else the broken pipe would end us.
  child.stdin?.on('error', () => undefined);
  try {
    child.stdin?.end(input);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    stop.throwIfAborted();
    if (code !== 0) throw new Error(`${program} ended with ${code ?? signal ?? 'nothing'}.`);
  } finally {
    stop.removeEventListener('abort', interrupt);
  }
}
