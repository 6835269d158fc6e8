import { RejectedError } from '../../core/model/errors.ts';
import type { SourceLimits, SourceMedia } from './media.ts';
import type { PacketRange, PacketSurvey } from './packets.ts';
import { tooLong } from './source.ts';
import type { DeclaredMedia } from './source.ts';

/** Headers round, and sound and picture can end apart. A file that lacks more than this was cut off. */
const TOLERANCE = { seconds: 1.5, share: 0.05 };

/** A declared duration this near to the packets is preferred, as the last packet may have no duration. */
const NEAR_SECONDS = 0.1;

/**
 * The real duration of a source, from its declared one and from its packets, as headers can be wrong. Throws
 * RejectedError if the source was cut off or exceeds the limit.
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
  const resolved =
    declared !== undefined && Math.abs(declared - measured) < near ? declared : measured;
  // Containers know microseconds at best; further digits are floating-point noise.
  return { startSeconds: start, durationSeconds: Math.round(resolved * 1e6) / 1e6 };
}

/**
 * Moves the start to the first picture that can be decoded, or to the first sound if that is earlier. The end stays.
 */
export function fromFirstPicture(
  { startSeconds, durationSeconds }: Pick<SourceMedia, 'startSeconds' | 'durationSeconds'>,
  firstPicture: number,
  firstSound: number | undefined,
): Pick<SourceMedia, 'startSeconds' | 'durationSeconds'> {
  const start = Math.min(firstPicture, firstSound ?? firstPicture);
  const duration = startSeconds + durationSeconds - start;
  // The packet of a single picture may have no duration.
  if (duration <= 0) return { startSeconds, durationSeconds };
  return { startSeconds: start, durationSeconds: Math.round(duration * 1e6) / 1e6 };
}

/** An edit list that shows a smaller share of its source is wrong, not a cut. */
const MIN_SHOWN_SHARE = 0.1;
/**
 * Nobody keeps less of a recording. ffprobe 7 takes the declared duration from the edit list, so that the two agree even
 * if the list is wrong.
 */
const MIN_SHOWN_SECONDS = 0.5;

/**
 * True if the edit list of an MP4 hides nearly all of its picture, or of its first sound, although the header declares
 * the whole to be shown, or if it leaves only a moment.
 */
export function hasFalseEdits(
  { video, audio, startSeconds = 0, longestSeconds }: DeclaredMedia,
  packets: PacketSurvey,
): boolean {
  const stream = (video ?? audio[0]?.streams[0])?.index ?? 0;
  const end = packets.endBeforeHidden(stream);
  if (end === undefined) return false;
  const shown = end - startSeconds;
  const momentary = shown < MIN_SHOWN_SECONDS && packets.hiddenShare(stream) > 1 - MIN_SHOWN_SHARE;
  return momentary || shown < longestSeconds * MIN_SHOWN_SHARE;
}

/**
 * Throws RejectedError if the clock of a source jumps back: ffmpeg would drop what follows, as its timestamps are in the
 * past.
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
