/** Less than this says too little of how fast the work is. */
const LEAST_SECONDS = 2;
const LEAST_SHARE = 0.02;

interface Sample {
  readonly atSeconds: number;
  /** 0 to 1. */
  readonly done: number;
}

/** Judges by how far something has come since it was first seen how long the rest takes. */
export class TimeLeft {
  #first: Sample | undefined;

  /** Seconds; undefined until enough was seen. */
  after(now: Sample): number | undefined {
    // Work that was begun anew starts from nothing again.
    if (this.#first === undefined || now.done < this.#first.done) this.#first = now;
    const seconds = now.atSeconds - this.#first.atSeconds;
    const share = now.done - this.#first.done;
    if (seconds < LEAST_SECONDS || share < LEAST_SHARE) return undefined;
    return ((1 - now.done) * seconds) / share;
  }
}
