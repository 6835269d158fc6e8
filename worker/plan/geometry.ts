import { VIDEO_CODEC } from './formats.ts';
import type { Size } from './media.ts';
import { parseRational, toNumber } from './rational.ts';
import type { Rational } from './rational.ts';
import { isSideways } from './turn.ts';
import type { Turn } from './turn.ts';

/** The size at which a decoded picture is shown: upright, in square pixels. The sample aspect ratio scales the width only. */
export function displaySize(coded: Size, sampleAspect: Rational | undefined, turn: Turn): Size {
  const stretch = sampleAspect ? toNumber(sampleAspect) : 1;
  const width = Math.max(1, Math.round(coded.width * stretch));
  return isSideways(turn)
    ? { width: coded.height, height: width }
    : { width, height: coded.height };
}

/** Parses ffprobe's `sample_aspect_ratio`. A ratio beyond 1:4 is a broken header, not an anamorphic picture. */
export function parseSampleAspect(text: string | undefined): Rational | undefined {
  const ratio = parseRational(text);
  return ratio && ratio.num <= ratio.den * 4 && ratio.den <= ratio.num * 4 ? ratio : undefined;
}

export function area({ width, height }: Size): number {
  return width * height;
}

export function shortSide({ width, height }: Size): number {
  return Math.min(width, height);
}

/**
 * Scales a picture so that its short side is at most `side` and its long one can be encoded. The picture is never
 * enlarged, both sides are even (as 4:2:0 demands), and the long side is the even number nearest to the exact ratio.
 */
export function fit(display: Size, side: number): Size {
  const longSide = Math.max(display.width, display.height);
  const scale = Math.min(1, side / shortSide(display), VIDEO_CODEC.longestSide / longSide);
  const even = (length: number) => Math.max(2, Math.round((length * scale) / 2) * 2);
  const size = { width: even(display.width), height: even(display.height) };
  // Rounding does not enlarge an odd source: 239 becomes 238.
  const kept = (length: number, source: number) =>
    length > source && length > 2 ? length - 2 : length;
  return { width: kept(size.width, display.width), height: kept(size.height, display.height) };
}
