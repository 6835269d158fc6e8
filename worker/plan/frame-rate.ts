import type { SourceRates } from './media.ts';
import { rational, toNumber } from './rational.ts';
import type { Rational } from './rational.ts';

/** Apple's authoring rules allow at most 60 frames/s (rule 1.15). */
const MOST = 60;
/** A picture that stands for longer is repeated. */
const LEAST = 10;

/** The rates that displays and editors know. */
const STANDARD: readonly Rational[] = [
  rational(24_000, 1001),
  rational(24, 1),
  rational(25, 1),
  rational(30_000, 1001),
  rational(30, 1),
  rational(50, 1),
  rational(60_000, 1001),
  rational(60, 1),
];

/** Near enough to a standard rate to be meant as it: half of the distance between 24 and 23.976. */
const SNAP = 0.0005;

/** More than 2 % apart, an average and a base rate do not mean the same frames; pulldown and a cut-off end stay below. */
const VARIABLE = 0.02;

/** Distances between pictures are measured to the millisecond: 33 or 34 ms are 30 frames/s. */
const MEASURED = 0.03;

export function isVariable({ average, base, pace }: SourceRates): boolean {
  if (!average || !base) return false;
  return (
    !near(toNumber(average), toNumber(base), VARIABLE) ||
    (pace !== undefined && !near(pace, toNumber(base), MEASURED))
  );
}

/**
 * True where average and base leave the rate open: they differ, or are one that no camera has, as
 * copying into Matroska writes a variable rate's average for both.
 */
export function isUnsettled(rates: SourceRates): boolean {
  const { base } = rates;
  return !base || isVariable(rates) || !snapsTo(base, [...STANDARD, ...halves(base)]);
}

/**
 * The constant rate onto which the source's frames are put: its own where it is steady, the nearest
 * standard rate that loses none where it is not. A rate above 60 is divided, so that every kept frame
 * is one of the source's; one below 10 is multiplied, so that the end is met within a twentieth of a
 * second.
 */
export function gridRate(rates: SourceRates): Rational {
  const rate = isVariable(rates) ? steady(rates) : (rates.base ?? rates.average);
  return bounded(snapped(rate ?? rational(25, 1)));
}

/** So many pictures of a source become so many frames of its grid; one of the two is 1. */
export interface Cadence {
  readonly pictures: number;
  readonly frames: number;
}

/** The cadence of a source whose rate is constant; undefined for another. */
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
  const wanted = Math.max(mean * (1 - SNAP), pace * (1 - MEASURED));
  if (base && toNumber(base) <= MOST && toNumber(base) >= wanted && wanted > toNumber(base) / 2)
    return base;
  return STANDARD.find((rate) => toNumber(rate) >= wanted) ?? rational(MOST, 1);
}

function snapped(rate: Rational): Rational {
  return snapsTo(rate, [...STANDARD, nearestWhole(rate)]) ?? rate;
}

function snapsTo(rate: Rational, rates: readonly Rational[]): Rational | undefined {
  return rates.find((one) => near(toNumber(rate), toNumber(one), SNAP));
}

function near(one: number, other: number, share: number): boolean {
  return Math.abs(one / other - 1) < share;
}

function nearestWhole(rate: Rational): Rational {
  return rational(Math.max(1, Math.round(toNumber(rate))), 1);
}

/** 7.5 and 12.5 are rates that cameras have. */
function halves(rate: Rational): readonly Rational[] {
  return [rational(Math.max(1, Math.round(toNumber(rate) * 2)), 2)];
}

function bounded(rate: Rational): Rational {
  if (rate.den > 100_000 || rate.num > 100_000_000) {
    return bounded(rational(Math.max(1, Math.round(toNumber(rate) * 1000)), 1000));
  }
  if (toNumber(rate) < LEAST) {
    return rational(rate.num * Math.ceil(LEAST / toNumber(rate)), rate.den);
  }
  const divisor = Math.ceil(toNumber(rate) / (MOST * (1 + SNAP)));
  return divisor === 1 ? rate : snapped(rational(rate.num, rate.den * divisor));
}
