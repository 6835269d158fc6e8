import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import type { ProcessLimits } from '../plan/limits.ts';
import { confine } from './confine.ts';

export interface Decoded {
  readonly output: Buffer;
  /** What ffmpeg found wrong with its input. */
  readonly complaints: string;
}

/** ffmpeg decodes what the worker itself has encoded, as it comes, and writes what it finds to its standard output. */
export class Decoder {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #decoded: Promise<Decoded>;

  /** `argv` reads `pipe:0`, writes `pipe:1`, and logs nothing but errors. */
  constructor(options: {
    readonly ffmpeg: string;
    readonly argv: readonly string[];
    readonly limits: ProcessLimits;
    readonly signal: AbortSignal;
  }) {
    const { ffmpeg, argv, limits, signal } = options;
    const [program, ...words] = confine(ffmpeg, limits);
    this.#child = spawn(program, [...words, ...argv], { signal, killSignal: 'SIGKILL' });
    // A decoder that ends early says why on its standard error.
    this.#child.stdin.on('error', () => {});
    this.#decoded = read(this.#child);
    // It is awaited at the end; a unit that fails before that has its own reason.
    this.#decoded.catch(() => {});
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { stdin } = this.#child;
    if (stdin.destroyed || stdin.write(bytes)) return;
    const settled = new AbortController();
    const { signal } = settled;
    try {
      await Promise.race([once(stdin, 'drain', { signal }), once(stdin, 'close', { signal })]);
    } catch {
      // It ended early, and says why on its standard error.
    } finally {
      settled.abort();
    }
  }

  /** Throws the signal's reason when it was stopped, and Error when ffmpeg could not be started. */
  async end(): Promise<Decoded> {
    this.#child.stdin.end();
    return this.#decoded;
  }
}

async function read(child: ChildProcessWithoutNullStreams): Promise<Decoded> {
  const [output, complaints] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { output, complaints };
}
