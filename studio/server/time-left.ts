/** There is no estimate below both of these: progress is too uneven. */
const MIN_SECONDS = 2;
const MIN_SHARE = 0.02;

interface Sample {
  readonly atSeconds: number;
  /** 0 to 1. */
  readonly done: number;
}

/** Estimates the remaining time from the progress since the first sample. */
export class TimeLeft {
  #first: Sample | undefined;

  /** Returns seconds, or undefined while there are too few samples. */
  after(now: Sample): number | undefined {
    // Less done than before: the work was started again.
    if (this.#first === undefined || now.done < this.#first.done) this.#first = now;
    const seconds = now.atSeconds - this.#first.atSeconds;
    const share = now.done - this.#first.done;
    if (seconds < MIN_SECONDS || share < MIN_SHARE) return undefined;
    return ((1 - now.done) * seconds) / share;
  }
}
