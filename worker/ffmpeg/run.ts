import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import Ffmpeg from 'fluent-ffmpeg';
import { TransientError } from '../../core/model/errors.ts';
import type { Logger } from '../../core/log.ts';
import { redact } from '../../core/model/redact.ts';
import { shellQuote } from '../../core/model/shell-quote.ts';
import { damageIn, encoderFailure, lostPictures } from '../plan/encoder-failure.ts';
import type { ProcessLimits } from '../plan/limits.ts';
import { NOT_INSTALLED, childrenSeconds, confine } from './confine.ts';

export interface EncoderRun {
  /**
   * ffmpeg's arguments, one token each: options, `-i`, an address, options, an output. To an output
   * that names no protocol fluent-ffmpeg adds a `-y`.
   */
  readonly argv: readonly string[];
  /** The program. */
  readonly ffmpeg: string;
  readonly limits: ProcessLimits;
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

/**
 * Before each run fluent-ffmpeg asks ffmpeg for its formats and encoders, and nothing could end a
 * question without an answer. What we need, ./scripts/setup looks for.
 */
const UNASKED = {
  _checkCapabilities: (done: (error: null) => void) => done(null),
  availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
};

/** The system counts processor time in two ways, of which one may say 0.93 s when the other says 1 s. */
const NEARLY = 0.8;

/** How long a run has to end after SIGTERM before it is killed. */
const GRACE_SECONDS = 3;

/**
 * Runs ffmpeg to its end. Throws the signal's reason when it was stopped, TransientError when it
 * stalled, and else what plan/encoder-failure.ts makes of its last words. This is the one file that
 * knows fluent-ffmpeg; it gets whole tokens, as its array form splits them at spaces. Returns a line in
 * which ffmpeg calls the source damaged, if it went on from there.
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
  Object.assign(command, UNASKED);
  const spentBefore = childrenSeconds();
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
          child.removeAllListeners('error').once('error', ({ message }) => {
            reject(new TransientError(`ffmpeg could not be started: ${message}`));
          });
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
      command.once('error', (error: Error, _stdout: string | null, text: string | null) => {
        const outOfTime = childrenSeconds() - spentBefore > NEARLY * limits.cpuSeconds;
        reject(ended ?? failureOf(error, redact(text ?? ''), outOfTime));
      });
      command.run();
    });
    const failure: Error | undefined = ended ?? lostPictures(redact(stderr));
    if (failure) throw failure;
    return damageIn(redact(stderr));
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

/**
 * ffmpeg's `-progress`: lines of name=value, a block each half second; and what a filter prints of each
 * frame, `frame:3    pts:120     pts_time:0.12`, where outputs begin late.
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

/** fluent-ffmpeg puts the exit code and the signal into the error's text only. */
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
