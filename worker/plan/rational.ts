/** An exact fraction, reduced, with `den` > 0. */
export interface Rational {
  readonly num: number;
  readonly den: number;
}
