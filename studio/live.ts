import { PassThrough } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import type { Library, Problem } from './protocol.ts';

/** The library as it changes, for any number of pages. It is looked at only while one is open. */
export class Live {
  readonly #look: () => Promise<Library>;
  readonly #lookMilliseconds: number;
  readonly #sentenceFor: (error: unknown) => string;
  readonly #pages = new Map<PassThrough, { told: string }>();
  #hurried = Promise.withResolvers<undefined>();
  #watching = false;

  constructor(options: {
    readonly look: () => Promise<Library>;
    readonly lookMilliseconds: number;
    /** What pages are told when a look fails; the next one may not. */
    readonly sentenceFor: (error: unknown) => string;
  }) {
    this.#look = options.look;
    this.#lookMilliseconds = options.lookMilliseconds;
    this.#sentenceFor = options.sentenceFor;
  }

  /** Server-sent events, until the stream is destroyed: the library now and whenever it has changed, or why not. */
  open(): PassThrough {
    const page = new PassThrough();
    this.#pages.set(page, { told: '' });
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
      // Who hurries while we look may have done something that this look does not see.
      const { promise: hurried } = this.#hurried;
      this.#tell(await this.#event());
      await Promise.race([after(this.#lookMilliseconds), hurried]);
    }
    this.#watching = false;
  }

  async #event(): Promise<string> {
    try {
      return `data: ${JSON.stringify(await this.#look())}\n\n`;
    } catch (error) {
      const problem: Problem = { error: this.#sentenceFor(error) };
      return `event: trouble\ndata: ${JSON.stringify(problem)}\n\n`;
    }
  }

  #tell(event: string): void {
    for (const [page, known] of this.#pages) {
      // A page that takes nothing is told the newest when it does.
      if (page.writableNeedDrain) continue;
      // A comment shows that the connection is alive.
      page.write(known.told === event ? ':\n\n' : event);
      known.told = event;
    }
  }
}
