/**
 * Why a source was rejected: the uploader sees the code and a sentence. `true` where asking again for the
 * same file can help, as a limit refused it that an administrator can raise; `false` where the file itself
 * is the reason.
 */
const RETRY_CAN_HELP = {
  empty_source: false,
  unreadable_source: false,
  unsupported_source: false,
  dolby_vision_only: false,
  unsupported_container: false,
  encrypted_source: false,
  still_image: false,
  too_many_streams: false,
  no_video: false,
  sound_refused: true,
  no_sound: false,
  truncated_source: false,
  damaged_source: false,
  source_too_long: true,
  source_too_large: true,
  too_demanding: false,
  picture_too_large: true,
  source_gone: false,
  source_replaced: false,
} as const satisfies Readonly<Record<string, boolean>>;

export type RejectionCode = keyof typeof RETRY_CAN_HELP;

/** Whether asking again can help a job that ended with that code. It can for a failure, and may for a code of another version. */
export function retryCanHelp(code: string): boolean {
  const known: Readonly<Record<string, boolean>> = RETRY_CAN_HELP;
  return known[code] ?? true;
}

/** Rejected for good: trying again cannot help, and the uploader is told why. */
export class RejectedError extends Error {
  override readonly name = 'RejectedError';
  readonly code: RejectionCode;

  constructor(code: RejectionCode, sentence: string, options?: ErrorOptions) {
    super(sentence, options);
    this.code = code;
  }
}

/** Something around the work failed; the same work may succeed later. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
}

/** A message nobody can understand: it belongs in the dead-letter queue, for a person to read. */
export class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

/**
 * A document that is there and is not what it should be, or one that nobody could read again if it were
 * written: it is of another version, damaged, or a defect of the worker.
 */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

/** What was made is not what was planned, twice: a defect of the worker or of its tools, for a person to look at. */
export class FaultyOutputError extends Error {
  override readonly name = 'FaultyOutputError';
}
