import { LADDER } from '../../core/model/ladder.ts';
import type { Rung, Skipped } from '../../core/model/ladder.ts';
import { fit, shortSide } from './geometry.ts';
import type { Size } from './media.ts';
import type { Rendition } from './plan.ts';
import { toNumber } from './rational.ts';
import type { Rational } from './rational.ts';

/** Twice the frames need less than twice the bits, because consecutive frames differ less. */
const HIGH_FRAME_RATE = { above: 30.5, factor: 1.5 };

/**
 * Applies a ladder to a source of `display` size. There is at least one rendition, and none is larger than the source.
 * A source between two rungs keeps its own size as the largest rendition, with the bit-rate limit of the rung above,
 * scaled by the number of pixels.
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
  // A rendition less than 5 % larger than the next rung would be no visible improvement.
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
    const factor = toNumber(rate) > HIGH_FRAME_RATE.above ? HIGH_FRAME_RATE.factor : 1;
    const maxBitRate = Math.round(rung.maxBitRate * factor);
    // One second of the limit. With it, the peak over three segments stays within twice the average.
    renditions.push({ name: rung.name, ...size, maxBitRate, bufferBits: maxBitRate });
  }
  return { renditions, skipped };
}

/** A rung of the source's own size. */
function ownRung(display: Size, above: Rung): Rung {
  const side = shortSide(display);
  const maxBitRate = Math.max(
    100_000,
    Math.round(above.maxBitRate * (side / above.shortSide) ** 2),
  );
  return { name: `${side}p`, shortSide: side, maxBitRate };
}
