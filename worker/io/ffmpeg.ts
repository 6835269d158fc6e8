import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import Ffmpeg from 'fluent-ffmpeg';
import { TransientError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { redact, shellQuote } from '../plan/command.ts';
import { encoderFailure, lostSource } from '../plan/encoder-failure.ts';

export interface EncoderRun {
  /**
   * ffmpeg's arguments, one token each: options, `-i`, an address, options, an output. To an output
   * that names no protocol fluent-ffmpeg adds a `-y`.
   */
  readonly argv: readonly string[];
  /** The program. */
  readonly ffmpeg: string;
  readonly signal: AbortSignal;
  /** Without a sign of progress for so long the run is ended. */
  readonly stallSeconds: number;
  readonly log: Logger;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  /** Of the first video output so far. */
  readonly frames: number;
  /** Of the output so far. */
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

  let child: ChildProcess | undefined;
  let ended: Error | undefined;
  let unguard = () => {};
  let killing: NodeJS.Timeout | undefined;
  const end = (why: Error) => {
    ended ??= why;
    child?.kill('SIGTERM');
    killing ??= setTimeout(() => child?.kill('SIGKILL'), GRACE_SECONDS * 1000);
  };
  const onStop = () => end(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
  const stalled = () =>
    end(new TransientError(`ffmpeg made no progress for ${stallSeconds} s and was ended.`));
  const watch = setTimeout(stalled, stallSeconds * 1000);
  signal.addEventListener('abort', onStop);
  try {
    const stderr = await new Promise<string>((resolve, reject) => {
      command.once('start', () => {
        child = (command as unknown as { readonly ffmpegProc: ChildProcess }).ffmpegProc;
        if (child.pid === undefined) {
          // fluent-ffmpeg would look for words of a program that never spoke, and throw into the void.
          child.removeAllListeners('error').once('error', (error) => reject(failureOf(error, '')));
          return;
        }
        unguard = guard(child.pid);
        if (ended) end(ended);
        readProgress(child, (progress) => {
          watch.refresh();
          run.onProgress?.(progress);
        });
      });
      command.once('end', (_stdout: string | null, text: string | null) => resolve(text ?? ''));
      command.once('error', (error: Error, _stdout: string | null, text: string | null) =>
        reject(ended ?? failureOf(error, text ?? '')),
      );
      command.run();
    });
    const failure: Error | undefined = ended ?? lostSource(redact(stderr));
    if (failure) throw failure;
  } finally {
    unguard();
    clearTimeout(watch);
    clearTimeout(killing);
    signal.removeEventListener('abort', onStop);
  }
}

/**
 * Kills ffmpeg when this process dies without a word: the pipe to the guard closes, however a
 * process ends, while ffmpeg itself goes on when nobody reads its progress any more. Returns how to
 * dismiss the guard.
 */
function guard(pid: number): () => void {
  const script = 'trap "" INT TERM HUP; read -r line || kill -KILL "$1"';
  const shell = spawn('sh', ['-c', script, 'ffmpeg-guard', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard the run goes on: it is needed only when the worker is killed.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  return () => void shell.stdin.end('done\n');
}

/** ffmpeg's `-progress`: lines of name=value, a block each half second. */
function readProgress({ stdout }: ChildProcess, onProgress: (progress: Progress) => void): void {
  if (!stdout) return;
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
  if (/^spawn /.test(error.message)) {
    return new TransientError(`ffmpeg could not be started: ${error.message}`);
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
