import { RejectedError, TransientError } from '../errors.ts';

/** How a run of ffmpeg or ffprobe ended that did not end well. */
export interface ProcessEnd {
  readonly program: 'ffmpeg' | 'ffprobe';
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** The last lines of its standard error. */
  readonly stderr: string;
}

/** What ffmpeg says when the address fails, not the file: HTTP, sockets, disk and memory. */
const AROUND =
  /HTTP error (?!404|410)|Server returned (5|40[013])|Connection (refused|reset|timed out)|timed out|Network is unreachable|Failed to resolve|Input\/output error|No space left|Cannot allocate memory|Resource temporarily unavailable|Too many open files|Permission denied/i;

const GONE = /HTTP error (404|410)|Server returned 404|No such file or directory/i;

const UNSUPPORTED =
  /Decoder .*not found|Unknown decoder|Could not find codec parameters|decoder not found|not supported/i;

/**
 * Tells a broken source from trouble around the work by how the process ended; both are Errors to
 * throw. The same source gives the same answer on every try.
 */
export function encoderFailure({ program, exitCode, signal, stderr }: ProcessEnd): Error {
  const how = signal ? `was ended by ${signal}` : `ended with code ${exitCode ?? 'none'}`;
  const lines = stderr.trim().split('\n').slice(-5).join('\n');
  if (signal || AROUND.test(stderr)) return new TransientError(`${program} ${how}: ${lines}`);
  if (GONE.test(stderr)) {
    return new RejectedError(
      'source_gone',
      'The uploaded file is no longer there. Upload it again.',
    );
  }
  if (UNSUPPORTED.test(stderr)) {
    return new RejectedError(
      'unsupported_source',
      `The file is encoded in a way that is not supported. Export it as H.264 in an MP4 file. (${lines})`,
    );
  }
  if (program === 'ffprobe') {
    return new RejectedError(
      'unreadable_source',
      'The file is not a video, or is damaged at its start or end: it could not be opened. Export or upload it again.',
    );
  }
  if (
    /Invalid data|Error while decoding|corrupt|does not contain any stream|matches no streams|Nothing was written/i.test(
      stderr,
    )
  ) {
    return new RejectedError(
      'damaged_source',
      `The file is damaged: it could not be decoded. Export or upload it again. (${lines})`,
    );
  }
  return new TransientError(`${program} ${how}: ${lines}`);
}
