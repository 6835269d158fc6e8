import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export type Command =
  | 'deploy'
  | 'teardown'
  | 'upload'
  | 'status'
  | 'check'
  | 'smoke'
  | 'dead-letters'
  | 'studio'
  | 'play-address';

export interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{
    readonly code: number | null;
    readonly out: string;
    readonly err: string;
  }>;
}

/** Starts a command as its script would, with nobody at its terminal; in this folder unless another is given. */
export function start(
  command: Command,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  cwd = process.cwd(),
): Run {
  const program = fileURLToPath(new URL('../../../scripts/cli/main.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, command, ...argv],
    {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]).then(([out, err, [code]]) => ({ code, out, err }));
  return { child, ended };
}

/** Runs a command to its end; its lines of JSON are read. */
export async function run(
  command: Command,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
) {
  const { code, out, err } = await start(command, argv, env).ended;
  const lines = out.split('\n').filter((line) => /^[{[]/.test(line));
  return { code, out, err, json: lines.map((line) => JSON.parse(line) as unknown) };
}
