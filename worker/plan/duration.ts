import { RejectedError } from '../../core/model/errors.ts';
import type { PacketRange, PacketSurvey } from './packets.ts';
import { tooLong } from './source.ts';
import type { DeclaredMedia } from './source.ts';
import type { SourceLimits, SourceMedia } from './media.ts';

/** Headers round, and sound and picture end apart; more missing than this is a file that was cut off. */
const TOLERANCE = { seconds: 1.5, share: 0.05 };

/** As near to its packets as this, a header knows better: the last packet need not say how long it is shown. */
const NEAR_SECONDS = 0.1;

/**
 * How long a source really is, from what it says and from where its packets end, as headers can say
 * anything. Throws RejectedError for one that was cut off, or is longer than the limit.
 */
export function resolveDuration(
  {
    startSeconds,
    durationSeconds: declared,
  }: Pick<DeclaredMedia, 'startSeconds' | 'durationSeconds'>,
  packets: PacketRange | undefined,
  limits: SourceLimits,
): Pick<SourceMedia, 'startSeconds' | 'durationSeconds'> {
  const start = startSeconds ?? packets?.first ?? 0;
  const measured = packets ? packets.end - start : 0;
  if (measured <= 0) throw truncated(declared ?? 0, 0);
  const missing = (declared ?? 0) - measured;
  if (missing > TOLERANCE.seconds && missing > (declared ?? 0) * TOLERANCE.share) {
    throw truncated(declared ?? 0, measured);
  }
  if (measured > limits.maxDurationSeconds) throw tooLong(measured, limits);
  const near = Math.min(NEAR_SECONDS, measured / 4);
  const settled =
    declared !== undefined && Math.abs(declared - measured) < near ? declared : measured;
  // Microseconds are what containers know; more digits are noise of the arithmetic.
  return { startSeconds: start, durationSeconds: Math.round(settled * 1e6) / 1e6 };
}

/**
 * The same stretch of time, from the first picture on that can be decoded, or from the first sound where
 * that is earlier.
 */
export function fromFirstPicture(
  { startSeconds, durationSeconds }: Pick<SourceMedia, 'startSeconds' | 'durationSeconds'>,
  firstPicture: number,
  firstSound: number | undefined,
): Pick<SourceMedia, 'startSeconds' | 'durationSeconds'> {
  const start = Math.min(firstPicture, firstSound ?? firstPicture);
  const duration = startSeconds + durationSeconds - start;
  // The packet of a single picture need not say how long it is shown.
  if (duration <= 0) return { startSeconds, durationSeconds };
  return { startSeconds: start, durationSeconds: Math.round(duration * 1e6) / 1e6 };
}

/** Shown of a source that is longer: less is no cut but an edit list without sense. */
const LEAST_SHOWN = 0.1;
/** Nobody keeps so little of a recording. ffprobe 7 takes the header's length from the edits, which then agree. */
const LEAST_SHOWN_SECONDS = 0.5;

/**
 * True where the edit list of an MP4 hides nearly all of its picture, or of its first sound, while its
 * header says that the whole is shown, or leaves only a moment.
 */
export function hasFalseEdits(
  { video, audio, startSeconds = 0, longestSeconds }: DeclaredMedia,
  packets: PacketSurvey,
): boolean {
  const stream = (video ?? audio[0]?.streams[0])?.index ?? 0;
  const end = packets.endBeforeHidden(stream);
  if (end === undefined) return false;
  const shown = end - startSeconds;
  const momentary = shown < LEAST_SHOWN_SECONDS && packets.hiddenShare(stream) > 1 - LEAST_SHOWN;
  return momentary || shown < longestSeconds * LEAST_SHOWN;
}

/**
 * Throws RejectedError for a source whose clock jumps back: ffmpeg would drop what comes after, as its
 * time is over.
 */
export function requireOneClock({ setback, range }: PacketSurvey, start = range?.first ?? 0): void {
  if (setback === undefined) return;
  throw new RejectedError(
    'unsupported_source',
    `The file's clock jumps back after ${(setback - start).toFixed(1)} s, as where recordings were strung together. Convert it to an MP4 file, or upload the recordings one by one.`,
  );
}

function truncated(declared: number, measured: number): RejectedError {
  return new RejectedError(
    'truncated_source',
    `The file is cut off: it says that it lasts ${declared.toFixed(1)} s, but ends after ${measured.toFixed(1)} s. Upload it again.`,
  );
}
