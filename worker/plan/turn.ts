import { toNumber } from './rational.ts';
import type { Rational } from './rational.ts';

/** How a decoded picture is turned to be upright, by the names of ffmpeg's filters; `half` is upside down. */
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
 * The linear part of a display matrix: a point (x, y) of the decoded picture is shown at
 * (ax + cy, bx + dy), where y goes down. In units of 1/65536.
 */
export interface DisplayMatrix {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** Tangent of the degree by which a quarter turn may be off. */
const TOLERANCE = 0.0175;
/** No picture is stretched more; as for sample aspect ratios. */
const MOST_STRETCH = 4;

/**
 * ffprobe's `displaymatrix`: three rows of three numbers, each row behind its number. Undefined for
 * anything else.
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
 * The turn that a display matrix asks for; undefined where it is none by quarters, mirrored or not.
 * Such a matrix has no sense for a player, and none shows it.
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
  if (!less || !more || more > less * MOST_STRETCH) return false;
  return rest.every((value) => Math.abs(value) < less * TOLERANCE);
}

/** The turn by so many degrees clockwise; by anything but quarters it is none. */
export function turnByDegrees(degrees: number): Turn {
  const quarters = Math.round(degrees / 90);
  if (!(Math.abs(degrees - quarters * 90) < 1)) return 'none';
  return (['none', 'clock', 'half', 'cclock'] as const)[((quarters % 4) + 4) % 4] ?? 'none';
}

/**
 * True for a sample aspect ratio that is only the matrix's own stretch: ffmpeg makes one of the matrix
 * (`mov_read_trak` in https://github.com/FFmpeg/FFmpeg/blob/master/libavformat/mov.c).
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
