import { PassThrough } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import type { Library, Problem } from '../schema.ts';

/** However many pages are opened, and however much is done, the buckets are looked at no more often. */
const LEAST_LOOK_MILLISECONDS = 100;
/** A connection of which nothing is heard for a minute is cut by many a proxy. */
const ALIVE_MILLISECONDS = 15_000;

/** The library as it changes, for any number of pages. It is looked at only while one is open. */
export class Live {
  readonly #look: () => Promise<Library>;
  readonly #lookMilliseconds: number;
  readonly #sentenceFor: (error: unknown) => string;
  /** Each page with the number of the newest event that it has. */
  readonly #pages = new Map<PassThrough, number>();
  #event = '';
  #number = 0;
  #aliveAt = 0;
  #hurried = Promise.withResolvers<undefined>();
  #watching = false;

  constructor(options: {
    readonly look: () => Promise<Library>;
    readonly pollMilliseconds: number;
    /** What pages are told when a look fails; the next one may not. */
    readonly sentenceFor: (error: unknown) => string;
  }) {
    this.#look = options.look;
    this.#lookMilliseconds = options.pollMilliseconds;
    this.#sentenceFor = options.sentenceFor;
  }

  /** Server-sent events, until the stream is destroyed: the library now and whenever it has changed, or why not. */
  open(): PassThrough {
    const page = new PassThrough();
    this.#pages.set(page, 0);
    page.once('close', () => this.#pages.delete(page));
    this.hurry();
    if (!this.#watching) void this.#watch();
    return page;
  }

  /** Looks again at once: something has just been done. */
  hurry(): void {
    this.#hurried.resolve(undefined);
    this.#hurried = Promise.withResolvers();
  }

  async #watch(): Promise<void> {
    this.#watching = true;
    while (this.#pages.size > 0) {
      // A change that is made while we look may be missed by this look.
      const { promise: hurried } = this.#hurried;
      const event = await this.#read();
      if (event !== this.#event) {
        this.#event = event;
        this.#number += 1;
      }
      this.#tell();
      await after(LEAST_LOOK_MILLISECONDS);
      await Promise.race([after(this.#lookMilliseconds), hurried]);
    }
    this.#watching = false;
  }

  async #read(): Promise<string> {
    try {
      return `data: ${JSON.stringify(await this.#look())}\n\n`;
    } catch (error) {
      const problem: Problem = { error: this.#sentenceFor(error) };
      return `event: trouble\ndata: ${JSON.stringify(problem)}\n\n`;
    }
  }

  #tell(): void {
    const isTime = performance.now() - this.#aliveAt > ALIVE_MILLISECONDS;
    if (isTime) this.#aliveAt = performance.now();
    for (const [page, known] of this.#pages) {
      // A page that takes nothing is told the newest when it does.
      if (page.writableNeedDrain) continue;
      if (known < this.#number) page.write(this.#event);
      // A comment shows that the connection is alive.
      else if (isTime) page.write(':\n\n');
      this.#pages.set(page, this.#number);
    }
  }
}
