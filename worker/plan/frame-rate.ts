import { rational, toNumber } from './rational.ts';
import type { Rational } from './rational.ts';

/** Apple's authoring rules allow at most 60 frames/s (rule 1.15). */
const MOST = 60;

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

export interface SourceRates {
  /** ffprobe's avg_frame_rate: frames by duration. */
  readonly average?: Rational;
  /** ffprobe's r_frame_rate: the lowest rate that can express every timestamp. */
  readonly base?: Rational;
}

/** More than 2 % apart, an average and a base rate do not mean the same frames; pulldown and a cut-off end stay below. */
export function isVariable({ average, base }: SourceRates): boolean {
  if (!average || !base) return false;
  return Math.abs(toNumber(average) / toNumber(base) - 1) > 0.02;
}

/**
 * The constant rate onto which the source's frames are put: its own where it is steady, the nearest
 * standard rate that is not below the average where it is not; at least 1, at most 60 frames/s.
 * A rate above 60 is divided, so that every kept frame is one of the source's.
 */
export function gridRate(rates: SourceRates): Rational {
  const rate = isVariable(rates) ? steady(rates) : (rates.base ?? rates.average);
  return bounded(snapped(rate ?? rational(25, 1)));
}

function steady({ average, base }: SourceRates): Rational {
  if (base && toNumber(base) <= MOST && average && toNumber(average) > toNumber(base) / 2)
    return base;
  const wanted = average ? toNumber(average) * (1 - SNAP) : 25;
  return STANDARD.find((rate) => toNumber(rate) >= wanted) ?? average ?? rational(60, 1);
}

function snapped(rate: Rational): Rational {
  const whole = rational(Math.max(1, Math.round(toNumber(rate))), 1);
  const near = (one: Rational) => Math.abs(toNumber(rate) / toNumber(one) - 1) < SNAP;
  return [...STANDARD, whole].find(near) ?? rate;
}

function bounded(rate: Rational): Rational {
  if (toNumber(rate) < 1) return rational(1, 1);
  if (rate.den > 100_000 || rate.num > 100_000_000) {
    return bounded(rational(Math.max(1, Math.round(toNumber(rate) * 1000)), 1000));
  }
  const divisor = Math.ceil(toNumber(rate) / (MOST * (1 + SNAP)));
  return divisor === 1 ? rate : snapped(rational(rate.num, rate.den * divisor));
}
