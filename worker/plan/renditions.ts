import { LADDER } from '../../core/model/ladder.ts';
import type { Rung, Skipped } from '../../core/model/ladder.ts';
import { fit, shortSide } from './geometry.ts';
import { toNumber } from './rational.ts';
import type { Rational } from './rational.ts';
import type { Size } from './media.ts';
import type { Rendition } from './plan.ts';

/** Above 30 frames/s a second holds more pictures, though each differs less from the one before. */
const FAST = { above: 30.5, times: 1.5 };

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
