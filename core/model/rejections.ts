import * as z from 'zod';

interface Rejection {
  /** Tells the uploader the reason and the remedy. A throw that knows the details gives its own sentence. */
  readonly sentence: string;
  /** Whether the same file can be taken later: true where an administrator can raise the limit or change the setting. */
  readonly retryCanHelp: boolean;
}

/** Why a source is rejected. docs/operations.md lists these codes and sentences; a test compares the two. */
export const REJECTIONS = {
  empty_source: { sentence: 'The file is empty. Upload it again.', retryCanHelp: false },
  unreadable_source: {
    sentence:
      'The file is not a video, or is damaged at its start or end: it could not be opened. Export or upload it again.',
    retryCanHelp: false,
  },
  unsupported_source: {
    sentence:
      'The file is encoded in a way that is not supported. Export it as H.264 in an MP4 file.',
    retryCanHelp: false,
  },
  dolby_vision_only: {
    sentence:
      "The colours of the picture are for Dolby's own decoders only. Export it as HDR10, HLG or standard range, or as Dolby Vision profile 8.",
    retryCanHelp: false,
  },
  unsupported_container: {
    sentence: 'Files of this kind are not taken. Convert the file to MP4.',
    retryCanHelp: false,
  },
  encrypted_source: {
    sentence:
      'The file is encrypted, as films and songs of shops and streaming services are, and cannot be played without its key. Export it without copy protection.',
    retryCanHelp: false,
  },
  still_image: {
    sentence:
      'The file is a still image, not a video. Upload a video, an animation or a sound recording.',
    retryCanHelp: false,
  },
  too_many_streams: {
    sentence:
      'The file has more than 1,000 streams. Export it with one picture and the sound tracks that are wanted.',
    retryCanHelp: false,
  },
  no_video: {
    sentence:
      'The file has neither a moving picture nor sound. Upload a video or a sound recording.',
    retryCanHelp: false,
  },
  sound_refused: {
    sentence:
      'The file has sound but no moving picture, and this site takes videos only. Upload a video.',
    retryCanHelp: true,
  },
  no_sound: { sentence: 'The file has no sound that could be played.', retryCanHelp: false },
  truncated_source: {
    sentence: 'The file is cut off: it ends before its declared length. Upload it again.',
    retryCanHelp: false,
  },
  damaged_source: {
    sentence: 'The file is damaged: it could not be decoded. Export or upload it again.',
    retryCanHelp: false,
  },
  source_too_long: { sentence: 'The file lasts longer than the limit.', retryCanHelp: true },
  source_too_large: { sentence: 'The file is larger than the limit.', retryCanHelp: true },
  too_demanding: {
    sentence:
      'The file takes far more memory or computing time than a video of its size. It is damaged, or its header is wrong. Export it again as H.264 in an MP4 file.',
    retryCanHelp: false,
  },
  picture_too_large: { sentence: 'The picture is larger than the limit.', retryCanHelp: true },
  source_gone: {
    sentence: 'The uploaded file is no longer there. Upload it again.',
    retryCanHelp: false,
  },
  source_replaced: {
    sentence:
      'Another file was uploaded in the place of this one. That one is worked on by itself.',
    retryCanHelp: false,
  },
} as const satisfies Readonly<Record<string, Rejection>>;

export type RejectionCode = keyof typeof REJECTIONS;

/** The code of a job that ended without an asset. Any string is read: a newer worker may know more codes. */
export const endCodeSchema = z.custom<RejectionCode | 'failed'>((code) => typeof code === 'string');

/** Whether trying again can help a job that ended with this code. It can for `failed` and for an unknown code. */
export function retryCanHelp(code: string): boolean {
  const rows: Readonly<Record<string, Rejection>> = REJECTIONS;
  return rows[code]?.retryCanHelp ?? true;
}
