import type { SourceRates } from './media.ts';
import { rational, toNumber } from './rational.ts';
import type { Rational } from './rational.ts';

/** Apple's authoring rules allow at most 60 frames/s (rule 1.15). */
const MAX_RATE = 60;
/** In frames/s; the pictures of slower sources are repeated. */
const MIN_RATE = 10;

/** The frame rates that displays and editors support. */
const STANDARD_RATES: readonly Rational[] = [
  rational(24_000, 1001),
  rational(24, 1),
  rational(25, 1),
  rational(30_000, 1001),
  rational(30, 1),
  rational(50, 1),
  rational(60_000, 1001),
  rational(60, 1),
];

/** A rate this near to a standard rate is that rate: half of the distance between 24 and 23.976. */
const SNAP_TOLERANCE = 0.0005;

/** Average and base rates that differ by more than this are variable; pulldown and a cut-off end stay below. */
const VARIABLE_TOLERANCE = 0.02;

/** Intervals between pictures are measured to the millisecond: 33 or 34 ms are 30 frames/s. */
const PACE_TOLERANCE = 0.03;

export function isVariable({ average, base, pace }: SourceRates): boolean {
  if (!average || !base) return false;
  return (
    !near(toNumber(average), toNumber(base), VARIABLE_TOLERANCE) ||
    (pace !== undefined && !near(pace, toNumber(base), PACE_TOLERANCE))
  );
}

/**
 * True if average and base do not determine the rate: they differ, or are a rate that no camera has. Copying into
 * Matroska writes the average of a variable rate as both.
 */
export function needsPace(rates: SourceRates): boolean {
  const { base } = rates;
  return !base || isVariable(rates) || !nearestOf(base, [...STANDARD_RATES, ...nearestHalf(base)]);
}

/**
 * The constant rate of the frame grid: the source's own rate if it is steady, else the nearest standard rate that drops
 * no frames. A rate above 60 is divided, so that every kept frame is one of the source's. A rate below 10 is multiplied,
 * so that the grid ends within a twentieth of a second of the source.
 */
export function gridRate(rates: SourceRates): Rational {
  const rate = isVariable(rates) ? steady(rates) : (rates.base ?? rates.average);
  return bounded(snapped(rate ?? rational(25, 1)));
}

/** How many pictures of a source become how many frames of its grid; one of the two is 1. */
export interface Cadence {
  readonly pictures: number;
  readonly frames: number;
}

/** The cadence of a source with a constant rate; undefined for a variable one. */
export function cadence(rates: SourceRates): Cadence | undefined {
  const rate = rates.base ?? rates.average;
  if (!rate || isVariable(rates)) return undefined;
  const ratio = toNumber(rate) / toNumber(gridRate(rates));
  return {
    pictures: Math.max(1, Math.round(ratio)),
    frames: Math.max(1, Math.round(1 / ratio)),
  };
}

function steady({ average, base, pace = 0 }: SourceRates): Rational {
  const mean = average ? toNumber(average) : 25;
  const minimum = Math.max(mean * (1 - SNAP_TOLERANCE), pace * (1 - PACE_TOLERANCE));
  const baseRate = base ? toNumber(base) : NaN;
  if (base && baseRate <= MAX_RATE && baseRate >= minimum && minimum > baseRate / 2) return base;
  return STANDARD_RATES.find((rate) => toNumber(rate) >= minimum) ?? rational(MAX_RATE, 1);
}

function snapped(rate: Rational): Rational {
  return nearestOf(rate, [...STANDARD_RATES, nearestWhole(rate)]) ?? rate;
}

function nearestOf(rate: Rational, rates: readonly Rational[]): Rational | undefined {
  return rates.find((one) => near(toNumber(rate), toNumber(one), SNAP_TOLERANCE));
}

function near(one: number, other: number, share: number): boolean {
  return Math.abs(one / other - 1) < share;
}

function nearestWhole(rate: Rational): Rational {
  return rational(Math.max(1, Math.round(toNumber(rate))), 1);
}

/** Some cameras record at 7.5 or 12.5 frames/s. */
function nearestHalf(rate: Rational): readonly Rational[] {
  return [rational(Math.max(1, Math.round(toNumber(rate) * 2)), 2)];
}

function bounded(rate: Rational): Rational {
  if (rate.den > 100_000 || rate.num > 100_000_000) {
    return bounded(rational(Math.max(1, Math.round(toNumber(rate) * 1000)), 1000));
  }
  if (toNumber(rate) < MIN_RATE) {
    return rational(rate.num * Math.ceil(MIN_RATE / toNumber(rate)), rate.den);
  }
  const divisor = Math.ceil(toNumber(rate) / (MAX_RATE * (1 + SNAP_TOLERANCE)));
  return divisor === 1 ? rate : snapped(rational(rate.num, rate.den * divisor));
}
