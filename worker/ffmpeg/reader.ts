import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { TransientError } from '../../core/model/errors.ts';
import { redact } from '../../core/model/redact.ts';
import { encoderFailure, tooDemanding } from '../plan/encoder-failure.ts';
import type { ProcessLimits } from '../plan/limits.ts';
import { NOT_INSTALLED, confine } from './confine.ts';

/** One run of a program that looks at a source. */
export interface ReaderRun {
  readonly name: 'ffmpeg' | 'ffprobe';
  /** The program. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly limits: ProcessLimits;
  readonly limitSeconds: number;
  readonly signal: AbortSignal;
  readonly mostBytes?: number;
}

/** The last words are enough to tell a broken file from a broken connection. */
const STDERR_CHARACTERS = 8192;

/**
 * Runs the program, and resolves when it has ended and `read` is done with its standard output. Throws
 * what plan/encoder-failure.ts makes of its last words, RejectedError when it said more than
 * `mostBytes`, TransientError when it took too long, and the signal's reason when it was stopped.
 */
export async function runReader(
  { name, program, argv, limits, limitSeconds, signal, mostBytes = Infinity }: ReaderRun,
  read: (stdout: Readable) => Promise<unknown>,
): Promise<void> {
  const limit = AbortSignal.timeout(limitSeconds * 1000);
  const [shell, ...words] = confine(program, limits);
  const child = spawn(shell, [...words, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, limit]),
    killSignal: 'SIGKILL',
  });
  let bytes = 0;
  child.stdout.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > mostBytes) child.kill('SIGKILL');
  });
  const done = read(child.stdout);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARACTERS);
  });
  try {
    const [code, killed] = (await once(child, 'close')) as [number | null, string | null];
    await done;
    if (bytes > mostBytes)
      throw tooDemanding(new Error(`${name} said more than ${mostBytes} bytes.`));
    if (code === 0) return;
    if (stderr.includes(NOT_INSTALLED)) {
      throw new Error(`${name} is not installed. Run ./scripts/setup, or install ffmpeg.`);
    }
    const end = { exitCode: code ?? undefined, signal: killed ?? undefined };
    throw encoderFailure({ program: name, ...end, stderr: redact(stderr) });
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new TransientError(`${name} did not end within ${limitSeconds} s.`);
    throw error;
  }
}
