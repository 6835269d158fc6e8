import { RejectedError, TransientError } from '../../core/model/errors.ts';

/** How a failed run of ffmpeg or ffprobe ended. */
export interface ProcessEnd {
  readonly program: 'ffmpeg' | 'ffprobe';
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** The run used up its processor time. ffmpeg handles that signal like any other and does not report which it was. */
  readonly outOfTime?: boolean;
  /** The last lines of standard error; ffmpeg writes them with `-loglevel level+…`. */
  readonly stderr: string;
}

/** ffmpeg's exit codes after a signal that it handled, and after more than two thirds of the decoding failed. */
const EXIT = { signalled: 255, undecodable: 69 };

/** Errors of this machine, not of the file: of its disk, or of the server in worker/byte-server.ts. */
const ENVIRONMENT_ERROR =
  /Stream ends prematurely|Connection (refused|reset)|Input\/output error|No space left|Resource temporarily unavailable|Too many open files|Permission denied|Read-only file system|Failed to open segment|Could not write header/i;

/** A truncated Matroska file on the disk, which the demuxer reports as an input/output error. */
const ENDS_EARLY = /File ended prematurely[^]*^(\[\w+\] )?file:.*: Input\/output error/m;

/** Errors of ffmpeg and x264 at their memory limit. A machine that runs out of memory kills them instead. */
const OUT_OF_MEMORY = /Cannot allocate memory|malloc of size \d+ failed/;

/** The signals of the limits on processor time and on file size: see worker/ffmpeg/confine.ts. */
const LIMIT_SIGNALS = ['SIGXCPU', 'SIGXFSZ'];

/** ffmpeg's own limit is 1000 streams: https://ffmpeg.org/ffmpeg-formats.html#Format-Options */
const TOO_MANY_STREAMS = /exceeds max_streams/;

/** Matches the address of the source only: a missing scratch folder is not the source's fault. */
const GONE = /^(\[\w+\] )?file:.*: No such file or directory|Error opening input: No such file/m;

const UNSUPPORTED =
  /Decoder .*not found|Unknown decoder|Could not find codec parameters|decoder not found|not supported|Error reinitializing filters/i;

/** Stereo becomes surround, or the sample rate changes, in the middle of a track. */
const CHANGED_SOUND = /Changing audio frame properties/;

const DAMAGED =
  /Invalid data|Error while decoding|corrupt|does not contain any stream|matches no streams|Nothing was written|Empty output|Cannot determine format of input stream|ended prematurely|exceeds containing master element/i;

/**
 * The Error to throw for a failed run: a rejection if the source is at fault, which is the same on every try, else a
 * transient error. The message of a rejection is for the uploader; its cause is the program's output.
 */
export function encoderFailure(end: ProcessEnd): Error {
  const { program, exitCode, signal, outOfTime = false, stderr } = end;
  const errors = program === 'ffmpeg' ? errorsIn(stderr) : stderr;
  const how = signal ? `was ended by ${signal}` : `ended with code ${exitCode ?? 'none'}`;
  const lines = stderr.trim().split('\n').slice(-5).join('\n');
  const transient = new TransientError(`${program} ${how}: ${lines}`);
  // This comes first, as ffmpeg then also reports that it cannot allocate memory.
  if (TOO_MANY_STREAMS.test(errors)) {
    return new RejectedError('too_many_streams', undefined, { cause: transient });
  }
  const signalled = program === 'ffmpeg' && exitCode === EXIT.signalled;
  const limited = LIMIT_SIGNALS.includes(signal ?? '') || (signalled && outOfTime);
  if (limited || OUT_OF_MEMORY.test(stderr)) return tooDemanding(transient);
  if (signal || signalled) return transient;
  if (ENVIRONMENT_ERROR.test(errors) && !ENDS_EARLY.test(errors)) return transient;
  // The exit codes of a shell that cannot run a program.
  if (exitCode === 126 || exitCode === 127) return transient;
  if (GONE.test(errors)) {
    return new RejectedError('source_gone');
  }
  if (CHANGED_SOUND.test(errors)) {
    return new RejectedError(
      'unsupported_source',
      'The sound of the file changes its form in the middle, as from stereo to surround. Export it with one form throughout, as AAC in an MP4 file.',
      { cause: transient },
    );
  }
  if (UNSUPPORTED.test(errors)) {
    return new RejectedError('unsupported_source', undefined, { cause: transient });
  }
  if (program === 'ffprobe') {
    return new RejectedError('unreadable_source', undefined, { cause: transient });
  }
  if (exitCode === EXIT.undecodable || DAMAGED.test(errors)) {
    return new RejectedError('damaged_source', undefined, { cause: transient });
  }
  // Any other error of ffmpeg itself is the source's fault and would recur on every try.
  if (errors !== '') {
    return new RejectedError(
      'unsupported_source',
      'The file cannot be processed as it is. Export it as H.264 in an MP4 file.',
      { cause: transient },
    );
  }
  return transient;
}

/** Rejects a source that exceeds the limits of worker/plan/limits.ts, which are generous for ordinary sources. */
export function tooDemanding(cause: Error): RejectedError {
  return new RejectedError('too_demanding', undefined, { cause });
}

/** The rejection if a successful run dropped pictures for lack of memory; undefined if it did not. */
export function lostPictures(stderr: string): RejectedError | undefined {
  const memory = stderr.split('\n').find((line) => OUT_OF_MEMORY.test(line));
  return memory === undefined ? undefined : tooDemanding(new Error(memory));
}

/** The first line in which a run that continued reports damage in its source. */
export function damageIn(stderr: string): string | undefined {
  return stderr.split('\n').find((line) => DAMAGED.test(line));
}

/** Drops warnings, as ffmpeg recovered from what they report. */
function errorsIn(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => /\[(error|fatal|panic)\] /.test(line))
    .join('\n');
}
