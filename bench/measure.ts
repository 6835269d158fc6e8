import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

export interface Cost {
  /** CPU time of the child processes that ended during the work, and of their children. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

export function measure(work: () => void): Cost {
  const before = childSeconds();
  const started = performance.now();
  work();
  const wallSeconds = (performance.now() - started) / 1000;
  return { cpuSeconds: childSeconds() - before, wallSeconds };
}

/** Runs a program with the given standard input, and returns its standard error. Throws Error if it fails. */
export function run(
  program: string,
  argv: readonly string[],
  input: NodeJS.ArrayBufferView = Buffer.alloc(0),
): string {
  const { status, stderr } = spawnSync(program, argv, { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${String(status)}: ${stderr}`);
  return stderr;
}

/** Ends this process with a sentence if the clip is not a file. */
export function requireClip(clip: string): void {
  if (statSync(clip, { throwIfNoEntry: false })?.isFile()) return;
  process.stderr.write(`There is no file ${JSON.stringify(clip)}.\n`);
  process.exit(2);
}

/** Reads cutime and cstime, the 16th and 17th field of proc(5), in ticks of 10 ms. */
function childSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}
