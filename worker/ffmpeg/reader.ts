import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { TransientError } from '../../core/model/errors.ts';
import { redact } from '../../core/model/redact.ts';
import { encoderFailure, tooDemanding } from '../plan/encoder-failure.ts';
import type { ProcessLimits } from '../plan/limits.ts';
import { NOT_INSTALLED, confine } from './confine.ts';

/** A run of a program that inspects a source. */
export interface ReaderRun {
  readonly name: 'ffmpeg' | 'ffprobe';
  /** The path or name of the program. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly limits: ProcessLimits;
  readonly limitSeconds: number;
  readonly signal: AbortSignal;
  /** Of standard output. */
  readonly maxBytes?: number | undefined;
}

/** The end of standard error is enough to tell a broken file from a broken connection. */
const MAX_STDERR_CHARACTERS = 8192;

/**
 * Runs the program, and resolves when it has ended and `read` has consumed its standard output. Throws the signal's
 * reason if aborted, TransientError after the time limit, RejectedError for more than `maxBytes` of output, and
 * otherwise the error that worker/plan/encoder-failure.ts derives from standard error.
 */
export async function runReader(
  { name, program, argv, limits, limitSeconds, signal, maxBytes = Infinity }: ReaderRun,
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
    if (bytes > maxBytes) child.kill('SIGKILL');
  });
  const done = read(child.stdout);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR_CHARACTERS);
  });
  try {
    const [code, killed] = (await once(child, 'close')) as [number | null, string | null];
    await done;
    if (bytes > maxBytes)
      throw tooDemanding(new Error(`${name} wrote more than ${maxBytes} bytes.`));
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
