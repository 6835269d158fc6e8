/** One packet of a source, as its container times it. */
export interface SourcePacket {
  readonly stream: number;
  /** When it is shown; seconds on the container's clock. */
  readonly pts: number;
  /** When it is decoded: packets come in this order. Matroska does not say it of each. */
  readonly dts: number | undefined;
  readonly duration: number;
  readonly key: boolean;
  /** Decoded only, where the edit list of an MP4 leaves it out. */
  readonly hidden: boolean;
}

/** Clocks of streams that are woven together differ by less. */
const SETBACK_SECONDS = 1;

/** H.264 and HEVC reorder at most 16 pictures (max_num_reorder_frames). */
const REORDERED = 16;

/** What packets tell of their source, one by one, as those of a long file do not fit into memory. */
export class PacketSurvey {
  readonly #decoded = new Map<number, number>();
  readonly #pace = new Pace();
  readonly #picture: number | undefined;
  readonly #hidden = new Map<number, number>();
  readonly #shown = new Map<number, number>();
  readonly #ends = new Map<number, number>();
  #first = Infinity;
  #setback: number | undefined;

  /** The pace is measured of the stream `picture`. */
  constructor(picture: number | undefined) {
    this.#picture = picture;
  }

  add({ stream, pts, dts, duration, hidden }: SourcePacket): void {
    const seen = hidden ? this.#hidden : this.#shown;
    seen.set(stream, (seen.get(stream) ?? 0) + 1);
    if (hidden) return;
    const before = this.#decoded.get(stream) ?? -Infinity;
    // Matroska stores no decode times: ffmpeg derives them from the presentation times.
    const reordered = Math.max(SETBACK_SECONDS, duration * REORDERED);
    if (dts !== undefined && dts < before - reordered) this.#setback ??= before;
    this.#decoded.set(stream, dts ?? before);
    this.#first = Math.min(this.#first, pts);
    this.#ends.set(stream, Math.max(this.#ends.get(stream) ?? -Infinity, pts + duration));
    if (stream === this.#picture) this.#pace.add(pts);
  }

  /** From the first packet to the end of the last; undefined when there was none. */
  get range(): PacketRange | undefined {
    const ends = [...this.#ends.values()];
    return ends.length > 0 ? { first: this.#first, end: Math.max(...ends) } : undefined;
  }

  /** When what is shown of a stream ends; undefined where none of its packets is hidden. */
  endBeforeHidden(stream: number): number | undefined {
    return this.#hidden.has(stream) ? (this.#ends.get(stream) ?? -Infinity) : undefined;
  }

  /** The share of a stream's packets that are hidden. */
  hiddenShare(stream: number): number {
    const hidden = this.#hidden.get(stream) ?? 0;
    return hidden === 0 ? 0 : hidden / (hidden + (this.#shown.get(stream) ?? 0));
  }

  /** Where the clock first jumps back, as where recordings were strung together. */
  get setback(): number | undefined {
    return this.#setback;
  }

  /** Pictures a second at which most of them follow each other; undefined for fewer than two. */
  get pace(): number | undefined {
    return this.#pace.typical;
  }

  has(stream: number): boolean {
    return this.#decoded.has(stream);
  }
}

/** From the first packet that was looked at to the end of the last; seconds on the container's clock. */
export interface PacketRange {
  readonly first: number;
  readonly end: number;
}

/** Counts the distances between pictures, by milliseconds, as many containers know nothing finer. */
class Pace {
  readonly #waiting: number[] = [];
  readonly #distances = new Map<number, number>();
  #shown = Number.NaN;

  add(pts: number): void {
    this.#waiting.push(pts);
    this.#waiting.sort((a, b) => a - b);
    if (this.#waiting.length > REORDERED) this.#show();
  }

  get typical(): number | undefined {
    while (this.#waiting.length > 0) this.#show();
    const distances = [...this.#distances].sort(([a], [b]) => a - b);
    const half = distances.reduce((sum, [, count]) => sum + count, 0) / 2;
    let passed = 0;
    const median = distances.find(([, count]) => (passed += count) >= half)?.[0];
    return median === undefined ? undefined : 1000 / median;
  }

  #show(): void {
    const pts = this.#waiting.shift() ?? Number.NaN;
    const distance = Math.round((pts - this.#shown) * 1000);
    if (distance > 0) this.#distances.set(distance, (this.#distances.get(distance) ?? 0) + 1);
    this.#shown = pts;
  }
}
