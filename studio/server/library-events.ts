import { PassThrough } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import type { Library, Problem } from '../schema.ts';

/** The shortest time between two polls, however many pages are opened and however much is changed. */
const MIN_POLL_MILLISECONDS = 100;
/** Many proxies cut a connection that is silent for a minute. */
const KEEP_ALIVE_MILLISECONDS = 15_000;

/** Sends the library, as it changes, to any number of pages. Polls only while at least one page is open. */
export class LibraryEvents {
  readonly #poll: () => Promise<Library>;
  readonly #pollMilliseconds: number;
  readonly #describe: (error: unknown) => string;
  /** Each page with the number of the newest event that it was sent. */
  readonly #pages = new Map<PassThrough, number>();
  #event = '';
  #number = 0;
  #keptAliveAt = 0;
  #wanted = Promise.withResolvers<undefined>();
  #polling = false;

  constructor(options: {
    readonly poll: () => Promise<Library>;
    readonly pollMilliseconds: number;
    /** Returns the sentence that pages show while polls fail. */
    readonly describe: (error: unknown) => string;
  }) {
    this.#poll = options.poll;
    this.#pollMilliseconds = options.pollMilliseconds;
    this.#describe = options.describe;
  }

  /**
   * Returns server-sent events: the library now and after each change, or a `problem`. They go on until the caller
   * destroys the stream.
   */
  subscribe(): PassThrough {
    const page = new PassThrough();
    this.#pages.set(page, 0);
    page.once('close', () => this.#pages.delete(page));
    this.pollNow();
    if (!this.#polling) void this.#keepPolling();
    return page;
  }

  /** Polls without waiting for the next turn. Call it after a change. */
  pollNow(): void {
    this.#wanted.resolve(undefined);
    this.#wanted = Promise.withResolvers();
  }

  async #keepPolling(): Promise<void> {
    this.#polling = true;
    while (this.#pages.size > 0) {
      // Taken before the poll, which may miss a change that is made during it.
      const { promise: wanted } = this.#wanted;
      const event = await this.#read();
      if (event !== this.#event) {
        this.#event = event;
        this.#number += 1;
      }
      this.#send();
      await after(MIN_POLL_MILLISECONDS);
      await Promise.race([after(this.#pollMilliseconds), wanted]);
    }
    this.#polling = false;
  }

  async #read(): Promise<string> {
    try {
      return `data: ${JSON.stringify(await this.#poll())}\n\n`;
    } catch (error) {
      const problem: Problem = { error: this.#describe(error) };
      return `event: problem\ndata: ${JSON.stringify(problem)}\n\n`;
    }
  }

  #send(): void {
    const keepAlive = performance.now() - this.#keptAliveAt > KEEP_ALIVE_MILLISECONDS;
    if (keepAlive) this.#keptAliveAt = performance.now();
    for (const [page, number] of this.#pages) {
      // A page that does not read gets the newest event once it does.
      if (page.writableNeedDrain) continue;
      if (number < this.#number) page.write(this.#event);
      // A comment, which pages ignore.
      else if (keepAlive) page.write(':\n\n');
      this.#pages.set(page, this.#number);
    }
  }
}
