import { cadence, gridRate } from './frame-rate.ts';
import type { SourceRates, SourceMedia } from './media.ts';
import { toNumber } from './rational.ts';

/**
 * When pictures begin, in seconds: the first of the times, moved to where most of them say that it belongs,
 * by at most half a distance. Clocks round to milliseconds, and a recording's first picture often comes
 * out of step.
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
  // Pictures that do not agree have no step.
  if (Math.hypot(x, y) < AGREED) return first;
  const start = first + (Math.atan2(y, x) / (2 * Math.PI)) * period;
  return Math.round(start * 1e6) / 1e6;
}

/** The mean of unit vectors is 1 long where all point one way, and 0 where they point all ways. */
const AGREED = 0.5;

/** Sound that begins so much before the picture is an encoder's run-in: 1,024 samples of AAC, 2,048 and a delay of HE-AAC. */
const RUN_IN_SECONDS = 0.05;

/**
 * The container's timestamp that is shown as time zero, so that the first picture falls onto a frame of
 * the grid: the first frame, or a later one where the sound begins earlier. Sound keeps its distance to
 * the picture. Of several pictures for one frame, all are half a distance or more from its borders.
 */
export function originSeconds(
  media: Pick<SourceMedia, 'startSeconds' | 'pictureSeconds' | 'video'>,
): number {
  const { startSeconds, pictureSeconds, video } = media;
  if (!video || pictureSeconds === undefined) return startSeconds;
  const { pictures } = cadence(video.rates) ?? { pictures: 1 };
  const frame = 1 / toNumber(gridRate(video.rates));
  const lead = pictureSeconds - startSeconds;
  const before = lead <= RUN_IN_SECONDS ? 0 : Math.round(lead / frame);
  const origin = pictureSeconds + ((pictures - 1) / (2 * pictures) - before) * frame;
  return Math.round(origin * 1e6) / 1e6;
}
