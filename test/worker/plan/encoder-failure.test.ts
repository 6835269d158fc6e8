import { describe, expect, test } from 'vitest';
import { RejectedError, TransientError } from '../../../core/model/errors.ts';
import { damageIn, encoderFailure, lostPictures } from '../../../worker/plan/encoder-failure.ts';
import type { ProcessEnd } from '../../../worker/plan/encoder-failure.ts';

function verdict(end: Partial<ProcessEnd>): string {
  const error = encoderFailure({
    program: 'ffmpeg',
    exitCode: 1,
    signal: undefined,
    stderr: '',
    ...end,
  });
  if (error instanceof RejectedError) return error.code;
  return error instanceof TransientError ? 'transient' : error.name;
}

const SERVED = 'http://127.0.0.1:40123/?[redacted]';

describe('A failed run of ffmpeg', () => {
  test.each([
    [
      'a decoder that ffmpeg lacks',
      '[error] Decoder (codec none) not found for input stream #0:0',
      'unsupported_source',
    ],
    [
      'sound that changes midway',
      '[graph_0_in_0_1 @ 0x5] [error] Changing audio frame properties on the fly is not supported.\n[error] Error while filtering: Invalid argument',
      'unsupported_source',
    ],
    [
      'channels that cannot be mixed',
      '[Parsed_aresample_0 @ 0x5] [SWR @ 0x6] [error] Rematrix is needed between 9 channels and stereo but there is not enough information to do it\n[error] Error reinitializing filters!',
      'unsupported_source',
    ],
    [
      'nothing that could be decoded',
      '[warning] Output file is empty, nothing was encoded\n[fatal] Empty output on stream 0.',
      'damaged_source',
    ],
    [
      'frames that are broken',
      '[error] Error while decoding stream #0:0: Invalid data found when processing input',
      'damaged_source',
    ],
    [
      'more streams than ffmpeg takes',
      '[mov,mp4 @ 0x5] [error] Number of streams exceeds max_streams parameter (1000), see the documentation if you wish to increase it\n[error] Cannot allocate memory',
      'too_many_streams',
    ],
    [
      'a file that was deleted, as ffmpeg 7 reports it',
      '[in#0 @ 0x5] [error] Error opening input: No such file or directory\n[error] Error opening input file file:/data/blobs/ab.',
      'source_gone',
    ],
    [
      'a file that was deleted',
      '[error] file:/data/blobs/ab: No such file or directory',
      'source_gone',
    ],
    [
      'a scratch folder that was deleted',
      "[segment @ 0x5] [error] Failed to open segment 'file:/tmp/x/720p/00003.ts'\n[error] av_interleaved_write_frame(): No such file or directory",
      'transient',
    ],
    ['a connection that breaks', `[error] ${SERVED}: Connection reset by peer`, 'transient'],
    [
      'an answer that breaks off',
      '[http @ 0x5] [error] Stream ends prematurely at 9, should be 12',
      'transient',
    ],
    [
      'a full disk',
      '[error] Error while decoding stream #0:0: Invalid data found when processing input\n[error] av_interleaved_write_frame(): No space left on device',
      'transient',
    ],
    [
      'its limit on memory',
      '[error] Error while filtering: Cannot allocate memory',
      'too_demanding',
    ],
    [
      'its limit on memory, which x264 reached',
      'x264 [error]: malloc of size 44329344 failed\n[error] Error initializing output stream 0:0',
      'too_demanding',
    ],
    [
      'a picture of unknown format',
      '[error] Cannot determine format of input stream 0:0 after EOF\n[fatal] Error marking filters as finished',
      'damaged_source',
    ],
    [
      'a filter that cannot take the picture',
      '[Parsed_zscale_1 @ 0x5] [error] code 3074: no path between colorspaces\n[error] Error while filtering: Generic error in an external library',
      'unsupported_source',
    ],
    [
      'a scratch folder that is gone',
      "[segment @ 0x5] [error] Failed to open segment 'file:/scratch/720p/00000.ts'",
      'transient',
    ],
    [
      'a Matroska file that breaks off',
      '[matroska,webm @ 0x5] [error] File ended prematurely\n[error] file:/data/blobs/ab: Input/output error',
      'damaged_source',
    ],
    [
      'a Matroska file whose connection breaks off',
      `[matroska,webm @ 0x5] [error] File ended prematurely\n[error] ${SERVED}: Input/output error`,
      'transient',
    ],
    ['a disk that fails', '[error] file:/data/blobs/ab: Input/output error', 'transient'],
    ['nothing that it reports', '', 'transient'],
  ])(
    'A run of ffmpeg that failed because of %s is classified by its output',
    (_, stderr, expected) => {
      expect(verdict({ stderr })).toBe(expected);
    },
  );

  test('Warnings of problems that ffmpeg recovered from do not classify a failed run', () => {
    const stderr =
      '[http @ 0x5] [warning] Will reconnect at 9 in 0 second(s), error=Connection reset by peer.\n' +
      '[error] Error while decoding stream #0:0: Invalid data found when processing input';
    expect(verdict({ stderr })).toBe('damaged_source');
  });

  test('A run with mostly undecodable frames means a damaged source', () => {
    expect(verdict({ exitCode: 69 })).toBe('damaged_source');
  });

  test('The exit codes of ffmpeg 7 are classified like those of earlier versions', () => {
    const stderr = '[error] Error while filtering: Generic error in an external library';
    expect(verdict({ exitCode: 234, stderr })).toBe('unsupported_source');
  });

  test.each([
    ['ffprobe ran', { program: 'ffprobe', exitCode: undefined, signal: 'SIGXCPU' }],
    ['ffmpeg ran, which ends by itself then', { exitCode: 255, outOfTime: true }],
    ['it wrote a file', { exitCode: undefined, signal: 'SIGXFSZ' }],
  ] as const)('A run that reached its limit while %s means a demanding source', (_, end) => {
    expect(verdict(end)).toBe('too_demanding');
  });

  test.each([
    ['SIGKILL, as for want of memory', { exitCode: undefined, signal: 'SIGKILL' }],
    ['a crash', { exitCode: undefined, signal: 'SIGSEGV' }],
    ['a signal that it answered', { exitCode: 255 }],
  ])('A run that ended with %s is not the fault of its source', (_, end) => {
    const stderr = '[error] Error while decoding stream #0:0: Invalid data found';
    expect(verdict({ ...end, stderr })).toBe('transient');
  });

  test('The uploader gets a plain sentence, and its cause is the output of ffmpeg', () => {
    const end: ProcessEnd = {
      program: 'ffmpeg',
      exitCode: 1,
      signal: undefined,
      stderr: '[error] first\n[fatal] Empty output on stream 0.\n',
    };
    const { message, cause } = encoderFailure(end);
    expect(message).toBe(
      'The file is damaged: it could not be decoded. Export or upload it again.',
    );
    expect(cause).toMatchObject({
      message: 'ffmpeg ended with code 1: [error] first\n[fatal] Empty output on stream 0.',
    });
  });
});

test('The rejection of sound that changes midway is about the sound', () => {
  const stderr = '[error] Changing audio frame properties on the fly is not supported.';
  const error = encoderFailure({ program: 'ffmpeg', exitCode: 1, signal: undefined, stderr });
  expect(error.message).toMatch(/^The sound of the file changes its form in the middle/);
});

describe('A failed run of ffprobe', () => {
  test.each([
    ['file:/data/a: Invalid data found when processing input', 'unreadable_source'],
    ['file:/data/a: Operation not permitted', 'unreadable_source'],
    ['file:/data/a: End of file', 'unreadable_source'],
    ['file:/data/a: No such file or directory', 'source_gone'],
    [`${SERVED}: Connection refused`, 'transient'],
  ])('A run of ffprobe that reports %s means %s', (stderr, expected) => {
    expect(verdict({ program: 'ffprobe', stderr })).toBe(expected);
  });
});

describe('A successful run', () => {
  test('A successful run lost pictures if it ran out of memory', () => {
    const stderr = '[error] Error while decoding stream #0:0: Cannot allocate memory\n';
    expect(lostPictures(stderr)).toMatchObject({ name: 'RejectedError', code: 'too_demanding' });
  });

  test('A successful run lost no pictures if it only met damage', () => {
    expect(lostPictures('[error] file:/a: Invalid data found')).toBeUndefined();
  });
});

describe('A run of ffmpeg that continued', () => {
  test.each([
    '[warning] file:/data/blobs/ab: corrupt input packet in stream 0',
    '[error] Error while decoding stream #0:1: Invalid data found when processing input',
    '[aist#0:1/aac @ 0x5] [error] Error submitting packet to decoder: Invalid data found when processing input',
    '[matroska,webm @ 0x5] [error] File ended prematurely',
  ])('A run of ffmpeg that continued reports damage in its source: %s', (line) => {
    const usual = '[mpegts @ 0x5] [warning] frame size not set';
    expect(damageIn(`${usual}\n${line}\n`)).toBe(line);
    expect(damageIn(usual)).toBeUndefined();
  });
});
