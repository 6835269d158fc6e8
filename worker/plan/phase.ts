import { cadence, gridRate } from './frame-rate.ts';
import type { SourceRates, SourceMedia } from './media.ts';
import { toNumber } from './rational.ts';

/**
 * The start of the pictures in seconds: the first time, moved by at most half a frame interval to where most of the
 * times place it. Clocks round to milliseconds, and the first picture of a recording is often out of step.
 */
export function steadyStart(
  times: readonly [number, ...(readonly number[])],
  rates: SourceRates,
): number {
  const [first] = times;
  const { pictures } = cadence(rates) ?? { pictures: 1 };
  const period = 1 / toNumber(gridRate(rates)) / pictures;
  const turns = times.map((seconds) => ((seconds - first) / period) * 2 * Math.PI);
  const x = turns.reduce((sum, angle) => sum + Math.cos(angle), 0) / times.length;
  const y = turns.reduce((sum, angle) => sum + Math.sin(angle), 0) / times.length;
  // Pictures without a common phase are not regular.
  if (Math.hypot(x, y) < MIN_AGREEMENT) return first;
  const start = first + (Math.atan2(y, x) / (2 * Math.PI)) * period;
  return Math.round(start * 1e6) / 1e6;
}

/** The length of the mean of unit vectors: 1 if all point in one direction, 0 if they point in all directions. */
const MIN_AGREEMENT = 0.5;

/**
 * Sound that begins at most this long before the picture is encoder priming: 1,024 samples of AAC, 2,048 and a delay of
 * HE-AAC.
 */
const PRIMING_SECONDS = 0.05;

/**
 * The container's timestamp that becomes time zero. It puts the first picture onto a frame of the grid: the first frame,
 * or a later one if the sound begins earlier. Sound and picture stay in sync. If several pictures share a frame, each is
 * at least half a picture interval away from the frame's borders.
 */
export function originSeconds(
  media: Pick<SourceMedia, 'startSeconds' | 'pictureSeconds' | 'video'>,
): number {
  const { startSeconds, pictureSeconds, video } = media;
  if (!video || pictureSeconds === undefined) return startSeconds;
  const { pictures } = cadence(video.rates) ?? { pictures: 1 };
  const frame = 1 / toNumber(gridRate(video.rates));
  const lead = pictureSeconds - startSeconds;
  const before = lead <= PRIMING_SECONDS ? 0 : Math.round(lead / frame);
  const origin = pictureSeconds + ((pictures - 1) / (2 * pictures) - before) * frame;
  return Math.round(origin * 1e6) / 1e6;
}
