/** Why a source can never become an asset. The uploader sees the code and the sentence. */
export type RejectionCode =
  | 'empty_source'
  | 'unreadable_source'
  | 'unsupported_source'
  | 'no_video'
  | 'no_sound'
  | 'truncated_source'
  | 'damaged_source'
  | 'source_too_long'
  | 'source_too_large'
  | 'picture_too_large'
  | 'source_gone'
  | 'source_replaced';

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
