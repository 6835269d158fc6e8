import { REJECTIONS } from './rejections.ts';
import type { RejectionCode } from './rejections.ts';

/** The source is rejected: the same work cannot succeed, and the uploader is told why. */
export class RejectedError extends Error {
  override readonly name = 'RejectedError';
  readonly code: RejectionCode;

  constructor(
    code: RejectionCode,
    sentence: string = REJECTIONS[code].sentence,
    options?: ErrorOptions,
  ) {
    super(sentence, options);
    this.code = code;
  }
}

/** The work failed for a reason outside of it, and can succeed later. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
}

/** A message that cannot be parsed. It belongs in the dead-letter queue, for a person to read. */
export class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

/**
 * A stored document does not fit its schema, or a document to be written does not: it is of another version or
 * damaged, or the worker has a defect.
 */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

/** An output differed from its plan twice: a defect of the worker or of its tools, which a person has to look at. */
export class FaultyOutputError extends Error {
  override readonly name = 'FaultyOutputError';
}

/** A receipt is no longer valid: the message was delivered again, or is gone. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** The storage backend is lost or damaged. Nothing works until a person has done what the error's text says. */
export class BackendLostError extends Error {
  override readonly name = 'BackendLostError';
}
