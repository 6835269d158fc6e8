/** One packet of a source, with the times of its container. */
export interface SourcePacket {
  readonly stream: number;
  /** The presentation time, in seconds on the container's clock. */
  readonly pts: number;
  /** The decode time, by which packets are ordered. Matroska omits some. */
  readonly dts: number | undefined;
  readonly duration: number;
  readonly key: boolean;
  /** The edit list of an MP4 leaves the packet out: it is decoded but not shown. */
  readonly hidden: boolean;
}

/** Interleaved streams are never further apart. */
const SETBACK_SECONDS = 1;

/** H.264 and HEVC reorder at most 16 pictures (max_num_reorder_frames). */
const MAX_REORDERED = 16;

/** Surveys packets one by one, as those of a long file do not fit into memory. */
export class PacketSurvey {
  readonly #decoded = new Map<number, number>();
  readonly #pace = new Pace();
  readonly #picture: number | undefined;
  readonly #hidden = new Map<number, number>();
  readonly #shown = new Map<number, number>();
  readonly #ends = new Map<number, number>();
  #first = Infinity;
  #setback: number | undefined;

  /** `picture` is the stream whose pace is measured. */
  constructor(picture: number | undefined) {
    this.#picture = picture;
  }

  add({ stream, pts, dts, duration, hidden }: SourcePacket): void {
    const seen = hidden ? this.#hidden : this.#shown;
    seen.set(stream, (seen.get(stream) ?? 0) + 1);
    if (hidden) return;
    const before = this.#decoded.get(stream) ?? -Infinity;
    // Matroska stores no decode times: ffmpeg derives them from the presentation times.
    const reordered = Math.max(SETBACK_SECONDS, duration * MAX_REORDERED);
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

  /** When the shown part of a stream ends; undefined if none of its packets is hidden. */
  endBeforeHidden(stream: number): number | undefined {
    return this.#hidden.has(stream) ? (this.#ends.get(stream) ?? -Infinity) : undefined;
  }

  /** The share of a stream's packets that are hidden. */
  hiddenShare(stream: number): number {
    const hidden = this.#hidden.get(stream) ?? 0;
    return hidden === 0 ? 0 : hidden / (hidden + (this.#shown.get(stream) ?? 0));
  }

  /** Where the clock first jumps back, as in concatenated recordings. */
  get setback(): number | undefined {
    return this.#setback;
  }

  /** Pictures per second by the median interval between them; undefined for fewer than two. */
  get pace(): number | undefined {
    return this.#pace.median;
  }

  has(stream: number): boolean {
    return this.#decoded.has(stream);
  }
}

/** From the first surveyed packet to the end of the last, in seconds on the container's clock. */
export interface PacketRange {
  readonly first: number;
  readonly end: number;
}

/** Counts the intervals between pictures in milliseconds, the finest unit of many containers. */
class Pace {
  readonly #waiting: number[] = [];
  readonly #intervals = new Map<number, number>();
  #shown = Number.NaN;

  add(pts: number): void {
    this.#waiting.push(pts);
    this.#waiting.sort((a, b) => a - b);
    if (this.#waiting.length > MAX_REORDERED) this.#show();
  }

  get median(): number | undefined {
    while (this.#waiting.length > 0) this.#show();
    const intervals = [...this.#intervals].sort(([a], [b]) => a - b);
    const half = intervals.reduce((sum, [, count]) => sum + count, 0) / 2;
    let passed = 0;
    const median = intervals.find(([, count]) => (passed += count) >= half)?.[0];
    return median === undefined ? undefined : 1000 / median;
  }

  #show(): void {
    const pts = this.#waiting.shift() ?? Number.NaN;
    const interval = Math.round((pts - this.#shown) * 1000);
    if (interval > 0) this.#intervals.set(interval, (this.#intervals.get(interval) ?? 0) + 1);
    this.#shown = pts;
  }
}
