import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface RunOptions {
  readonly stop: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  /** Standard input, for secrets that must not be in argv. */
  readonly input?: string;
  /** Where the program's standard output goes: 1 for a result, 2 (the default) for progress. */
  readonly output?: 1 | 2;
}

/**
 * Runs a program to its end and shows its output. To stop it, sends one SIGINT and waits. Throws Error if the program
 * fails, and the signal's reason if it was stopped.
 */
export async function run(
  program: string,
  argv: readonly string[],
  { stop, env = process.env, input, output = 2 }: RunOptions,
): Promise<void> {
  stop.throwIfAborted();
  const child = spawn(program, argv, {
    env,
    // A separate process group: Ctrl-C in a terminal reaches our whole group, and we send SIGINT as well. At a second
    // one, Terraform abandons the resource that it is creating.
    detached: true,
    // Not piped through this process: if it is killed, the program must not fail by a broken pipe.
    stdio: [input === undefined ? 'ignore' : 'pipe', output, 2],
  });
  const interrupt = () => void child.kill('SIGINT');
  stop.addEventListener('abort', interrupt, { once: true });
  // A program that exits before it has read its input reports why itself; ignore the broken pipe.
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
