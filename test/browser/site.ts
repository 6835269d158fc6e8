import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PageOptions {
  readonly head?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A web site of a third party. Browsers treat localhost as another site than the edge's 127.0.0.1. */
export class Site {
  readonly origin: string;
  readonly #server: Server;
  readonly #answers: Map<string, Answer>;

  private constructor(server: Server, answers: Map<string, Answer>) {
    this.origin = `http://localhost:${(server.address() as AddressInfo).port}`;
    this.#server = server;
    this.#answers = answers;
  }

  static async open(): Promise<Site> {
    // Browsers request it, and report an error if it is missing.
    const answers = new Map<string, Answer>([['/favicon.ico', { type: 'image/x-icon', body: '' }]]);
    const server = createServer(({ url = '/' }, response) => {
      const { status = 200, type, body, headers } = answers.get(url) ?? NOT_FOUND;
      response.writeHead(status, { 'content-type': type, ...headers }).end(body);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new Site(server, answers);
  }

  /** Adds a page and returns its address. */
  page(body: string, { head = '', headers = {} }: PageOptions = {}): string {
    const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
      <meta name="viewport" content="width=device-width">
      ${head}</head><body>${body}</body></html>`;
    return this.file(`/${this.#answers.size}`, {
      type: 'text/html; charset=utf-8',
      body: html,
      headers,
    });
  }

  /** Adds a file and returns its address. */
  file(path: string, answer: Answer): string {
    this.#answers.set(path, answer);
    return this.origin + path;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const NOT_FOUND: Answer = { status: 404, type: 'text/plain', body: 'There is no such page.' };
