import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Library, LibraryItem } from '../../studio/schema.ts';

/** Sends a studio the requests of its page. */
export class Client {
  readonly origin: string;
  readonly token: string;

  private constructor(origin: string, token: string) {
    this.origin = origin;
    this.token = token;
  }

  static async open(origin: string): Promise<Client> {
    const page = await (await fetch(`${origin}/studio/`)).text();
    const token = /name="studio-token" content="([^"]+)"/.exec(page)?.[1];
    if (token === undefined) throw new Error(`The page has no token: ${page}`);
    return new Client(origin, token);
  }

  /** Sends a request to the API; `json` is undefined for an empty answer. */
  async ask(
    method: 'POST' | 'DELETE',
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly json: unknown }> {
    const answer = await fetch(`${this.origin}/studio/api/${path}`, {
      method,
      headers: { 'x-studio-token': this.token, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, json: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  /** Sends a part to its signed URL, and returns its ETag. */
  async put(
    name: { readonly key: string; readonly uploadId: string },
    partNumber: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<{ readonly partNumber: number; readonly etag: string }> {
    const part = { ...name, partNumber, sizeBytes: bytes.length };
    const { json } = await this.ask('POST', 'uploads/sign', part);
    const { url } = json as { readonly url: string };
    const answer = await fetch(new URL(url, this.origin), { method: 'PUT', body: bytes });
    if (!answer.ok) throw new Error(await answer.text());
    return { partNumber, etag: answer.headers.get('etag') ?? '' };
  }

  /** Uploads a file in one part, and returns the item's id. */
  async upload(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    const opened = await this.ask('POST', 'uploads', { name, sizeBytes: bytes.length });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    const parts = [await this.put({ key, uploadId }, 1, bytes)];
    const { json } = await this.ask('POST', 'uploads/complete', { key, uploadId, parts });
    return (json as { readonly id: string }).id;
  }

  /** Waits for a library that matches. */
  async library(matches: (library: Library) => boolean = () => true): Promise<Library> {
    const request = get(`${this.origin}/studio/api/events`);
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      const events = (text + chunk).split('\n\n');
      text = events.pop() ?? '';
      for (const event of events.filter((one) => one.startsWith('data: '))) {
        const library = JSON.parse(event.slice('data: '.length)) as Library;
        if (matches(library)) return library;
      }
    }
    throw new Error('The events have ended.');
  }

  /** Waits until an item is in that state. */
  async item<State extends LibraryItem['state']>(
    id: string,
    state: State,
  ): Promise<Extract<LibraryItem, { state: State }>> {
    const isIt = (item: LibraryItem): item is Extract<LibraryItem, { state: State }> =>
      item.id === id && item.state === state;
    const { items } = await this.library((library) => library.items.some(isIt));
    const [found] = items.filter(isIt);
    if (!found) throw new Error(`There is no ${id}.`);
    return found;
  }
}
