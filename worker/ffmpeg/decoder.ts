import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import type { ProcessLimits } from '../plan/limits.ts';
import { confine } from './confine.ts';

export interface Decoded {
  readonly output: Buffer;
  /** What ffmpeg reported about its input on its standard error. */
  readonly errors: string;
}

/** An ffmpeg process that decodes what the worker has encoded, while it is being encoded. */
export class Decoder {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #decoded: Promise<Decoded>;

  /** `argv` must read `pipe:0`, write `pipe:1`, and log errors only. */
  constructor(options: {
    readonly ffmpeg: string;
    readonly argv: readonly string[];
    readonly limits: ProcessLimits;
    readonly signal: AbortSignal;
  }) {
    const { ffmpeg, argv, limits, signal } = options;
    const [program, ...words] = confine(ffmpeg, limits);
    this.#child = spawn(program, [...words, ...argv], { signal, killSignal: 'SIGKILL' });
    // A decoder that ends early gives its reason on its standard error.
    this.#child.stdin.on('error', () => {});
    this.#decoded = read(this.#child);
    // `end` awaits it. If the unit fails before that, its own error counts.
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
      // It ended early; `end` returns its reason.
    } finally {
      settled.abort();
    }
  }

  /** Closes the input and returns the output. Throws if ffmpeg was aborted or could not be started. */
  async end(): Promise<Decoded> {
    this.#child.stdin.end();
    return this.#decoded;
  }
}

async function read(child: ChildProcessWithoutNullStreams): Promise<Decoded> {
  const [output, errors] = await Promise.all([
    buffer(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { output, errors };
}
