import { RejectedError, TransientError } from '../../core/model/errors.ts';

/** How a run of ffmpeg or ffprobe ended that did not end well. */
export interface ProcessEnd {
  readonly program: 'ffmpeg' | 'ffprobe';
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** It used up its processor time. ffmpeg answers that signal as any other, and does not say which it was. */
  readonly outOfTime?: boolean;
  /** The last lines of its standard error; ffmpeg's with `-loglevel level+…`. */
  readonly stderr: string;
}

/** ffmpeg's exit code after a signal that it could answer, and after more than two thirds of the decoding failed. */
const EXIT = { signalled: 255, undecodable: 69 };

/** What ffmpeg says when this machine fails, not the file: its disk, and the server of worker/byte-server.ts. */
const AROUND =
  /Stream ends prematurely|Connection (refused|reset)|Input\/output error|No space left|Resource temporarily unavailable|Too many open files|Permission denied|Read-only file system|Failed to open segment|Could not write header/i;

/** A Matroska file that breaks off on the disk; the demuxer calls that an error of input and output. */
const ENDS_EARLY = /File ended prematurely[^]*^(\[\w+\] )?file:.*: Input\/output error/m;

/** Said by ffmpeg and by x264 when they reach the limit of their memory; a machine without any kills them. */
const OUT_OF_MEMORY = /Cannot allocate memory|malloc of size \d+ failed/;

/** Of a limit on processor time, and on the size of a file: see worker/ffmpeg/confine.ts. */
const LIMIT_SIGNALS = ['SIGXCPU', 'SIGXFSZ'];

/** More than a thousand, ffmpeg's own limit: https://ffmpeg.org/ffmpeg-formats.html#Format-Options */
const TOO_MANY_STREAMS = /exceeds max_streams/;

/** Said of the source's own address: a scratch folder that is gone is no fault of the source. */
const GONE = /^(\[\w+\] )?file:.*: No such file or directory|Error opening input: No such file/m;

const UNSUPPORTED =
  /Decoder .*not found|Unknown decoder|Could not find codec parameters|decoder not found|not supported|Error reinitializing filters/i;

/** Of stereo that becomes surround, or of another sample rate, in the middle of a track. */
const CHANGED_SOUND = /Changing audio frame properties/;

const DAMAGED =
  /Invalid data|Error while decoding|corrupt|does not contain any stream|matches no streams|Nothing was written|Empty output|Cannot determine format of input stream|ended prematurely|exceeds containing master element/i;

/**
 * Tells a broken source from trouble around the work by how the process ended; both are Errors to
 * throw. The same source gives the same answer on every try. What the program said is the cause of a
 * rejection: the sentence is for the uploader.
 */
export function encoderFailure(end: ProcessEnd): Error {
  const { program, exitCode, signal, outOfTime = false, stderr } = end;
  const said = program === 'ffmpeg' ? errorsIn(stderr) : stderr;
  const how = signal ? `was ended by ${signal}` : `ended with code ${exitCode ?? 'none'}`;
  const lines = stderr.trim().split('\n').slice(-5).join('\n');
  const transient = new TransientError(`${program} ${how}: ${lines}`);
  // It also says that memory cannot be allocated.
  if (TOO_MANY_STREAMS.test(said)) {
    return new RejectedError('too_many_streams', undefined, { cause: transient });
  }
  const signalled = program === 'ffmpeg' && exitCode === EXIT.signalled;
  const limited = LIMIT_SIGNALS.includes(signal ?? '') || (signalled && outOfTime);
  if (limited || OUT_OF_MEMORY.test(stderr)) return tooDemanding(transient);
  if (signal || signalled) return transient;
  if (AROUND.test(said) && !ENDS_EARLY.test(said)) return transient;
  // A shell's words for a program that could not be run.
  if (exitCode === 126 || exitCode === 127) return transient;
  if (GONE.test(said)) {
    return new RejectedError('source_gone');
  }
  if (CHANGED_SOUND.test(said)) {
    return new RejectedError(
      'unsupported_source',
      'The sound of the file changes its form in the middle, as from stereo to surround. Export it with one form throughout, as AAC in an MP4 file.',
      { cause: transient },
    );
  }
  if (UNSUPPORTED.test(said)) {
    return new RejectedError('unsupported_source', undefined, { cause: transient });
  }
  if (program === 'ffprobe') {
    return new RejectedError('unreadable_source', undefined, { cause: transient });
  }
  if (exitCode === EXIT.undecodable || DAMAGED.test(said)) {
    return new RejectedError('damaged_source', undefined, { cause: transient });
  }
  // What else ffmpeg itself gives up at is the source's, and would be on every try.
  if (said !== '') {
    return new RejectedError(
      'unsupported_source',
      'The file cannot be processed as it is. Export it as H.264 in an MP4 file.',
      { cause: transient },
    );
  }
  return transient;
}

/** For a source that reaches the limits of worker/plan/limits.ts, which leave every honest one room. */
export function tooDemanding(cause: Error): RejectedError {
  return new RejectedError('too_demanding', undefined, { cause });
}

/** The failure of a run that ended well without pictures that there was no memory for, if it did. */
export function lostPictures(stderr: string): RejectedError | undefined {
  const memory = stderr.split('\n').find((line) => OUT_OF_MEMORY.test(line));
  return memory === undefined ? undefined : tooDemanding(new Error(memory));
}

/** The first line in which ffmpeg, which went on from there, calls its source damaged. */
export function damageIn(stderr: string): string | undefined {
  return stderr.split('\n').find((line) => DAMAGED.test(line));
}

/** Warnings tell of what went well in the end. */
function errorsIn(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => /\[(error|fatal|panic)\] /.test(line))
    .join('\n');
}
