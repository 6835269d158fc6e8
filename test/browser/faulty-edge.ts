import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Override {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
}

/** A proxy of an edge that can fail like a CDN that lacks a segment, or like a network that demands a sign-in. */
export class FaultyEdge {
  readonly origin: string;
  /** The responses so far: `404 v/…`. */
  readonly responses: string[] = [];
  /** Replaces the edge's response for a path without the leading slash. `hang` sends no response. */
  override: (path: string) => Override | 'hang' | undefined = () => undefined;
  readonly #hanging = new Set<ServerResponse>();
  readonly #server: Server;
  readonly #port: number;

  private constructor(server: Server, edgeOrigin: string) {
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.origin = `http://127.0.0.1:${this.#port}`;
    server.on('request', (clientRequest: IncomingMessage, response: ServerResponse) => {
      const path = clientRequest.url?.slice(1) ?? '';
      const override = this.override(path);
      response.once('close', () => this.responses.push(`${response.statusCode} ${path}`));
      if (override === 'hang') {
        this.#hanging.add(response);
        return;
      }
      if (override) {
        const { origin = '*' } = clientRequest.headers;
        const { status, type = 'text/plain', body = '' } = override;
        response.writeHead(status, { 'content-type': type, 'access-control-allow-origin': origin });
        response.end(body);
        return;
      }
      const { host } = new URL(edgeOrigin);
      const { method = 'GET', headers } = clientRequest;
      const forwarded = request(edgeOrigin + (clientRequest.url ?? ''), {
        method,
        headers: { ...headers, host },
      });
      forwarded.once('response', (reply) => {
        response.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(response);
      });
      forwarded.once('error', () => response.destroy());
      forwarded.end();
    });
  }

  static async open(edgeOrigin: string): Promise<FaultyEdge> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new FaultyEdge(server, edgeOrigin);
  }

  /** Aborts the requests that hang. */
  abortHanging(): void {
    for (const response of this.#hanging) response.destroy();
    this.#hanging.clear();
  }

  /** Refuses connections until it is restarted. */
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
