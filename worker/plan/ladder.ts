import { fit, shortSide } from './geometry.ts';
import { toNumber } from './rational.ts';
import type { Rational } from './rational.ts';
import type { Size } from './source.ts';

/** A step of the ladder, named by its short side; bit rates in bits/s. */
export interface Rung {
  readonly name: string;
  readonly shortSide: number;
  readonly maxBitRate: number;
}

/** A rung applied to a source. */
export interface Rendition extends Size {
  /** The rung's name, also in keys: `720p`. */
  readonly name: string;
  readonly maxBitRate: number;
  readonly bufferBits: number;
}

/** A rung that was left out, and why. */
export interface Skipped {
  readonly rung: string;
  readonly reason: 'larger_than_source' | 'same_size_as_another';
}

/**
 * The steps by the short side, so that portrait video gets the same care as landscape. The limits
 * stand on Apple's table of average bit rates for 16:9 H.264 (HLS authoring specification, 1.25):
 * 145, 365, 2000, 3000 to 4500 and 6000 to 7800 kbit/s. They are only limits: the constant quality
 * below them decides what a lecture really takes.
 */
export const LADDER: readonly Rung[] = [
  { name: '1080p', shortSide: 1080, maxBitRate: 6_000_000 },
  { name: '720p', shortSide: 720, maxBitRate: 3_500_000 },
  { name: '540p', shortSide: 540, maxBitRate: 2_000_000 },
  { name: '360p', shortSide: 360, maxBitRate: 900_000 },
  { name: '234p', shortSide: 234, maxBitRate: 300_000 },
];

/** Above 30 frames/s a second holds more pictures, though each differs less from the one before. */
const FAST = { above: 30.5, times: 1.5 };

/** The rungs of those names, in the ladder's order. */
export function rungsNamed(names: readonly string[]): readonly Rung[] {
  return LADDER.filter((rung) => names.includes(rung.name));
}

/**
 * Applies a ladder to a picture of `display` size: never larger than the source, at least one
 * rendition. A source between two rungs keeps its own size as its best rendition, with the limit of
 * the rung above scaled by pixels.
 */
export function selectRenditions(
  display: Size,
  rate: Rational,
  ladder: readonly Rung[] = LADDER,
): { readonly renditions: readonly Rendition[]; readonly skipped: readonly Skipped[] } {
  const side = shortSide(display);
  const descending = [...ladder].sort((a, b) => b.shortSide - a.shortSide);
  const larger = descending.filter((rung) => rung.shortSide > side);
  const fitting = descending.filter((rung) => rung.shortSide <= side);
  const next = larger.at(-1);
  // Less than a twentieth above the next rung, the source's own size would look like that rung.
  const between = next && !fitting.some((rung) => rung.shortSide > side * 0.95);
  const chosen = between ? [ownRung(display, next), ...fitting] : fitting;
  const skipped: Skipped[] = larger.map(({ name }) => ({
    rung: name,
    reason: 'larger_than_source',
  }));
  const renditions: Rendition[] = [];
  for (const rung of chosen) {
    const size = fit(display, rung.shortSide);
    if (renditions.some((one) => one.width === size.width && one.height === size.height)) {
      skipped.push({ rung: rung.name, reason: 'same_size_as_another' });
      continue;
    }
    const maxBitRate = Math.round(rung.maxBitRate * (toNumber(rate) > FAST.above ? FAST.times : 1));
    // A second of the limit: a peak of three segments stays within twice the average.
    renditions.push({ name: rung.name, ...size, maxBitRate, bufferBits: maxBitRate });
  }
  return { renditions, skipped };
}

/** The rung of the source's own size, for a source between two rungs. */
function ownRung(display: Size, above: Rung): Rung {
  const side = shortSide(display);
  const maxBitRate = Math.max(
    100_000,
    Math.round(above.maxBitRate * (side / above.shortSide) ** 2),
  );
  return { name: `${side}p`, shortSide: side, maxBitRate };
}
