import { PassThrough } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import type { Library } from './protocol.ts';

/** The library as it changes, for any number of pages. It is looked at only while one is open. */
export class Live {
  readonly #look: () => Promise<Library>;
  readonly #lookMilliseconds: number;
  readonly #onError: (error: unknown) => void;
  readonly #pages = new Map<PassThrough, { told: string }>();
  #hurried = Promise.withResolvers<undefined>();
  #watching = false;

  constructor(options: {
    readonly look: () => Promise<Library>;
    readonly lookMilliseconds: number;
    /** A look failed. Pages are cut off, and come back by themselves. */
    readonly onError: (error: unknown) => void;
  }) {
    this.#look = options.look;
    this.#lookMilliseconds = options.lookMilliseconds;
    this.#onError = options.onError;
  }

  /** Server-sent events, until the stream is destroyed: the library now, and whenever it has changed. */
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
      try {
        this.#tell(JSON.stringify(await this.#look()));
      } catch (error) {
        this.#onError(error);
        for (const page of this.#pages.keys()) page.end();
        break;
      }
      await Promise.race([after(this.#lookMilliseconds), hurried]);
    }
    this.#watching = false;
  }

  #tell(library: string): void {
    for (const [page, known] of this.#pages) {
      // A page that takes nothing is told the newest when it does.
      if (page.writableNeedDrain) continue;
      // A comment shows that the connection is alive.
      page.write(known.told === library ? ':\n\n' : `data: ${library}\n\n`);
      known.told = library;
    }
  }
}
