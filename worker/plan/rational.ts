/** An exact fraction, reduced, with `den` > 0. */
export interface Rational {
  readonly num: number;
  readonly den: number;
}

/** Reduces num/den to lowest terms. Throws RangeError if `den` is zero or a part is not a safe integer. */
export function rational(num: number, den: number): Rational {
  if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den) || den === 0) {
    throw new RangeError(`${num}/${den} is not a fraction of whole numbers.`);
  }
  const divisor = greatestCommonDivisor(Math.abs(num), Math.abs(den)) * Math.sign(den);
  return { num: num / divisor, den: den / divisor };
}

/** Parses ffprobe's `30000/1001` or `4:3`; undefined for any other text, and if a part is 0. */
export function parseRational(text: string | undefined): Rational | undefined {
  const parts = /^(\d{1,15})[/:](\d{1,15})$/.exec(text ?? '');
  const [num, den] = [Number(parts?.[1]), Number(parts?.[2])];
  return num > 0 && den > 0 ? rational(num, den) : undefined;
}

export function toNumber({ num, den }: Rational): number {
  return num / den;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
