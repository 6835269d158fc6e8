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

/** The message was delivered to another worker meanwhile, or is gone. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** The storage backend is lost or damaged: nothing works until a person has acted on the message. */
export class BackendLostError extends Error {
  override readonly name = 'BackendLostError';
}
