import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import Ffmpeg from 'fluent-ffmpeg';
import type { Logger } from '../../core/log.ts';
import { TransientError } from '../../core/model/errors.ts';
import { redact } from '../../core/model/redact.ts';
import { shellQuote } from '../../core/model/shell-quote.ts';
import { damageIn, encoderFailure, lostPictures } from '../plan/encoder-failure.ts';
import type { ProcessLimits } from '../plan/limits.ts';
import { NOT_INSTALLED, childrenSeconds, confine } from './confine.ts';

export interface EncoderRun {
  /**
   * ffmpeg's arguments, one token each: options, `-i`, an address, options, an output. fluent-ffmpeg adds `-y` for an
   * output without a protocol.
   */
  readonly argv: readonly string[];
  /** The path or name of the program. */
  readonly ffmpeg: string;
  readonly limits: ProcessLimits;
  readonly signal: AbortSignal;
  /** The run is ended after this long without progress. */
  readonly stallSeconds: number;
  readonly log: Logger;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  /** Frames of the first video output so far. */
  readonly frames: number;
  /** Seconds of output so far. */
  readonly outSeconds: number;
}

/**
 * Disables fluent-ffmpeg's queries for formats and encoders before each run, as they have no timeout. ./scripts/setup
 * checks what we need.
 */
const NO_QUERIES = {
  _checkCapabilities: (done: (error: null) => void) => done(null),
  availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
};

/** The two CPU clocks of the system differ: one may show 0.93 s when the other shows 1 s. */
const CPU_LIMIT_TOLERANCE = 0.8;

/** Between SIGTERM and SIGKILL. */
const GRACE_SECONDS = 3;

/**
 * Runs ffmpeg to its end. Returns a line in which ffmpeg reports damage in the source, if it continued after it. Throws
 * the signal's reason if aborted, TransientError if ffmpeg stalled, and otherwise the error that
 * worker/plan/encoder-failure.ts derives from standard error. Only this file knows fluent-ffmpeg, which gets single
 * tokens, as its array form splits them at spaces.
 */
export async function runFfmpeg(run: EncoderRun): Promise<string | undefined> {
  const { argv, limits, signal, stallSeconds, log } = run;
  signal.throwIfAborted();
  const input = argv.indexOf('-i');
  const address = argv[input + 1] ?? '';
  const [program, ...words] = confine(run.ffmpeg, limits);
  const command = Ffmpeg()
    .input(address)
    .inputOptions(...words, ...argv.slice(0, input))
    .outputOptions(...argv.slice(input + 2, -1))
    .output(argv.at(-1) ?? '');
  command.setFfmpegPath(program);
  Object.assign(command, NO_QUERIES);
  const spentBefore = childrenSeconds();
  log.info({ event: 'ffmpeg.started', command: redact(shellQuote([run.ffmpeg, ...argv])) });

  let child: ChildProcess | undefined;
  let ended: Error | undefined;
  let dismissGuard = () => {};
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
          // fluent-ffmpeg would read the output of a process that never started, and throw an uncaught error.
          child.removeAllListeners('error').once('error', ({ message }) => {
            reject(new TransientError(`ffmpeg could not be started: ${message}`));
          });
          return;
        }
        dismissGuard = startGuard(child.pid);
        if (ended) end(ended);
        readProgress(child, (progress) => {
          watch.refresh();
          run.onProgress?.(progress);
        });
      });
      command.once('end', (_stdout: string | null, text: string | null) => resolve(text ?? ''));
      command.once('error', (error: Error, _stdout: string | null, text: string | null) => {
        const outOfTime = childrenSeconds() - spentBefore > CPU_LIMIT_TOLERANCE * limits.cpuSeconds;
        reject(ended ?? failureOf(error, redact(text ?? ''), outOfTime));
      });
      command.run();
    });
    const failure: Error | undefined = ended ?? lostPictures(redact(stderr));
    if (failure) throw failure;
    return damageIn(redact(stderr));
  } finally {
    dismissGuard();
    clearTimeout(watch);
    clearTimeout(killing);
    signal.removeEventListener('abort', onStop);
  }
}

/**
 * Starts a shell that kills ffmpeg if this process dies: its pipe closes however the process ends, while ffmpeg
 * continues when nobody reads its progress. Returns a function that ends the shell.
 */
function startGuard(pid: number): () => void {
  const script = 'trap "" INT TERM HUP; read -r line || kill -KILL "$1"';
  const shell = spawn('sh', ['-c', script, 'ffmpeg-guard', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // The run continues without a guard: it is needed only if the worker is killed.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  return () => void shell.stdin.end('done\n');
}

/**
 * Reads ffmpeg's `-progress`, lines of name=value twice a second. Where outputs begin late, a filter also prints each
 * frame: `frame:3    pts:120     pts_time:0.12`.
 */
function readProgress({ stdout }: ChildProcess, onProgress: (progress: Progress) => void): void {
  if (!stdout) return;
  let frames = 0;
  let outSeconds = 0;
  let seenSeconds = 0;
  createInterface({ input: stdout }).on('line', (line) => {
    const seen = /^frame:\d+ .*pts_time:([\d.]+)/.exec(line)?.[1];
    const [name, value] = seen === undefined ? line.split('=', 2) : ['seen', seen];
    const number = Number(value);
    if (name === 'seen' && number > seenSeconds) seenSeconds = number;
    else if (name === 'frame' && number > frames) frames = number;
    else if (name === 'out_time_us' && number / 1e6 > outSeconds) outSeconds = number / 1e6;
    else return;
    onProgress({ frames, outSeconds });
  });
}

/** fluent-ffmpeg gives the exit code and the signal only in the text of its error. */
function failureOf(error: Error, stderr: string, outOfTime: boolean): Error {
  if (stderr.includes(NOT_INSTALLED)) {
    return new Error(
      'ffmpeg is not installed. Run ./scripts/setup, or install it with your package manager.',
    );
  }
  const code = /exited with code (\d+)/.exec(error.message)?.[1];
  const signal = /killed with signal (\w+)/.exec(error.message)?.[1];
  const exitCode = code === undefined ? undefined : Number(code);
  return encoderFailure({ program: 'ffmpeg', exitCode, signal, outOfTime, stderr });
}
