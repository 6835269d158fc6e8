import { toNumber } from './rational.ts';
import type { Rational } from './rational.ts';

/** How to turn a decoded picture upright, by the names of ffmpeg's filters; `half` is 180°. */
export const TURNS = [
  'none',
  'hflip',
  'vflip',
  'half',
  'clock',
  'cclock',
  'clock_flip',
  'cclock_flip',
] as const;
export type Turn = (typeof TURNS)[number];

/**
 * The linear part of a display matrix in units of 1/65536: a point (x, y) of the decoded picture is shown at
 * (ax + cy, bx + dy), where y goes down.
 */
export interface DisplayMatrix {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** The tangent of 1°, by which a quarter turn may be off. */
const TOLERANCE = 0.0175;
/** A larger stretch is an error, as for sample aspect ratios. */
const MAX_STRETCH = 4;

/**
 * Parses ffprobe's `displaymatrix`: three rows of three numbers, each row preceded by its index. Undefined for any other
 * text.
 */
export function parseMatrix(text: string): DisplayMatrix | undefined {
  const rows = text
    .split('\n')
    .map((line) => /^\d+:((?:\s+-?\d+){3})\s*$/.exec(line.trim())?.[1]?.trim().split(/\s+/))
    .filter((row) => row !== undefined)
    .map((row) => row.map(Number));
  const [[a, b] = [], [c, d] = []] = rows;
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return { a, b, c, d };
}

/**
 * The turn of a display matrix; undefined if it is not a multiple of 90°, mirrored or not. No player applies such a
 * matrix.
 */
export function turnOf({ a, b, c, d }: DisplayMatrix): Turn | undefined {
  if (isDiagonal(a, d, b, c)) {
    if (a > 0) return d > 0 ? 'none' : 'vflip';
    return d > 0 ? 'hflip' : 'half';
  }
  if (isDiagonal(b, c, a, d)) {
    if (b > 0) return c > 0 ? 'cclock_flip' : 'clock';
    return c > 0 ? 'cclock' : 'clock_flip';
  }
  return undefined;
}

function isDiagonal(one: number, other: number, ...rest: readonly number[]): boolean {
  const [less, more] = [Math.abs(one), Math.abs(other)].sort((x, y) => x - y);
  if (!less || !more || more > less * MAX_STRETCH) return false;
  return rest.every((value) => Math.abs(value) < less * TOLERANCE);
}

/** The turn by an angle in degrees clockwise; `none` unless it is a multiple of 90°. */
export function turnByDegrees(degrees: number): Turn {
  const quarters = Math.round(degrees / 90);
  if (!(Math.abs(degrees - quarters * 90) < 1)) return 'none';
  return (['none', 'clock', 'half', 'cclock'] as const)[((quarters % 4) + 4) % 4] ?? 'none';
}

/**
 * True for a sample aspect ratio that ffmpeg derived from the matrix (`mov_read_trak` in
 * https://github.com/FFmpeg/FFmpeg/blob/master/libavformat/mov.c).
 */
export function isStretchOf({ a, b, c, d }: DisplayMatrix, ratio: Rational): boolean {
  return Math.abs(toNumber(ratio) / (Math.hypot(a, c) / Math.hypot(b, d)) - 1) < 0.01;
}

export function isSideways(turn: Turn): boolean {
  return /clock/.test(turn);
}

export function turnFilters(turn: Turn): readonly string[] {
  if (turn === 'none') return [];
  if (turn === 'half') return ['hflip', 'vflip'];
  return [isSideways(turn) ? `transpose=${turn}` : turn];
}
