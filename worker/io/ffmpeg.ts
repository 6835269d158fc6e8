import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as after } from 'node:timers/promises';
import Ffmpeg from 'fluent-ffmpeg';
import { TransientError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { redact, shellQuote } from '../plan/command.ts';
import { encoderFailure } from '../plan/encoder-failure.ts';

export interface EncoderRun {
  /** ffmpeg's arguments, one token each: options, `-i`, an address, options, an output. */
  readonly argv: readonly string[];
  /** The program. */
  readonly ffmpeg: string;
  readonly signal: AbortSignal;
  /** Without a sign of progress for so long the run is ended. */
  readonly stallSeconds: number;
  readonly log: Logger;
  /** Frames of the first video output so far; the seconds of output so far. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly frames: number;
  readonly outSeconds: number;
}

/** How long a run has to end after SIGTERM before it is killed. */
const GRACE_SECONDS = 3;

/**
 * Runs ffmpeg to its end. Throws the signal's reason when it was stopped, TransientError when it
 * stalled, and else what plan/encoder-failure.ts makes of its last words. This is the one file that
 * knows fluent-ffmpeg; it gets whole tokens, as its array form splits them at spaces.
 */
export async function runFfmpeg(run: EncoderRun): Promise<void> {
  const { argv, signal, stallSeconds, log } = run;
  signal.throwIfAborted();
  const input = argv.indexOf('-i');
  const command = Ffmpeg()
    .input(argv[input + 1] ?? '')
    .inputOptions(...argv.slice(0, input))
    .outputOptions(...argv.slice(input + 2, -1))
    .output(argv.at(-1) ?? '');
  command.setFfmpegPath(run.ffmpeg);
  log.info({ event: 'ffmpeg.started', command: redact(shellQuote([run.ffmpeg, ...argv])) });

  const stalled = new TransientError(
    `ffmpeg made no progress for ${stallSeconds} s and was ended.`,
  );
  let ended: Error | undefined;
  let child: ChildProcess | undefined;
  const done = new AbortController();
  const end = (why: Error) => {
    ended ??= why;
    if (child) void endChild(child, done.signal);
  };
  const onStop = () => end(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
  const watch = setTimeout(() => end(stalled), stallSeconds * 1000);
  signal.addEventListener('abort', onStop);
  try {
    await new Promise<void>((resolve, reject) => {
      command.once('start', () => {
        child = (command as unknown as { readonly ffmpegProc: ChildProcess }).ffmpegProc;
        if (ended) end(ended);
        if (child.stdout) {
          readProgress(child.stdout, (progress) => {
            watch.refresh();
            run.onProgress?.(progress);
          });
        }
      });
      command.once('end', () => resolve());
      command.once('error', (error: Error, _stdout: string | null, stderr: string | null) =>
        reject(ended ?? failureOf(error, stderr || error.message)),
      );
      command.run();
    });
  } finally {
    clearTimeout(watch);
    done.abort();
    signal.removeEventListener('abort', onStop);
  }
  if (ended) throw ended;
}

/** Ends a run that may be deaf to SIGTERM. */
async function endChild(child: ChildProcess, done: AbortSignal): Promise<void> {
  child.kill('SIGTERM');
  try {
    await after(GRACE_SECONDS * 1000, undefined, { signal: done });
    child.kill('SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** ffmpeg's `-progress`: lines of name=value, a block each half second. */
function readProgress(
  stdout: NodeJS.ReadableStream,
  onProgress: (progress: Progress) => void,
): void {
  let frames = 0;
  let outSeconds = 0;
  createInterface({ input: stdout }).on('line', (line) => {
    const [name, value] = line.split('=', 2);
    const number = Number(value);
    if (name === 'frame' && number > frames) frames = number;
    else if (name === 'out_time_us' && number / 1e6 > outSeconds) outSeconds = number / 1e6;
    else return;
    onProgress({ frames, outSeconds });
  });
}

/** fluent-ffmpeg puts the exit code and the signal into the error's text only. */
function failureOf(error: Error, stderr: string): Error {
  if (/Cannot find ffmpeg|ENOENT/.test(error.message)) {
    return new Error(
      'ffmpeg is not installed. Run ./scripts/setup, or install it with your package manager.',
    );
  }
  const code = /exited with code (\d+)/.exec(error.message)?.[1];
  const signal = /killed with signal (\w+)/.exec(error.message)?.[1];
  return encoderFailure({
    program: 'ffmpeg',
    exitCode: code === undefined ? undefined : Number(code),
    signal,
    stderr: redact(stderr),
  });
}
