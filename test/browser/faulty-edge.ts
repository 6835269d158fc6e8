import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
}

/** In front of an edge: answers some addresses itself, as a CDN with a hole or a network with a sign-in does. */
export class FaultyEdge {
  readonly origin: string;
  /** What it answered: `404 v/…`. */
  readonly answered: string[] = [];
  /** What is answered in the edge's place, by a path without its first slash; `held` are answered nothing. */
  instead: (path: string) => Answer | 'held' | undefined = () => undefined;
  readonly #held = new Set<ServerResponse>();
  readonly #server: Server;
  readonly #port: number;

  private constructor(server: Server, edgeOrigin: string) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.origin = `http://127.0.0.1:${this.#port}`;
    server.on('request', (asked: IncomingMessage, response: ServerResponse) => {
      const path = asked.url?.slice(1) ?? '';
      const answer = this.instead(path);
      response.once('close', () => this.answered.push(`${response.statusCode} ${path}`));
      if (answer === 'held') {
        this.#held.add(response);
        return;
      }
      if (answer) {
        const { origin = '*' } = asked.headers;
        const { status, type = 'text/plain', body = '' } = answer;
        response.writeHead(status, { 'content-type': type, 'access-control-allow-origin': origin });
        response.end(body);
        return;
      }
      const { host } = new URL(edgeOrigin);
      const { method = 'GET', headers } = asked;
      const passed = request(edgeOrigin + (asked.url ?? ''), {
        ...{ method, headers: { ...headers, host } },
      });
      passed.once('response', (found) => {
        response.writeHead(found.statusCode ?? 500, found.headers);
        found.pipe(response);
      });
      passed.once('error', () => response.destroy());
      passed.end();
    });
  }

  static async open(edgeOrigin: string): Promise<FaultyEdge> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FaultyEdge(server, edgeOrigin);
  }

  /** Breaks the connections of those that were answered nothing. */
  abortHanging(): void {
    for (const response of this.#held) response.destroy();
    this.#held.clear();
  }

  /** Takes no connection any more, until it is back. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async restart(): Promise<void> {
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening');
  }
}
