import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { answerRequests, closeServer, listen } from '../../core/http/listen.ts';
import type { Reply } from '../../core/http/reply.ts';
import type { Logger } from '../../core/log.ts';
import { viewerRequestSource } from '../source.ts';
import { addressesOf } from './addresses.ts';
import { deliver, openDelivery } from './delivery.ts';
import type { ReadableStore } from './origin.ts';

export interface EdgeOptions {
  readonly store: ReadableStore;
  readonly deliveryBucket: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Origins of other sites whose pages may show the videos. The edge's own pages always may. */
  readonly allowedSites: readonly string[];
  /** Serves requests without Origin, Referer and Sec-Fetch-Site, as apps and scripts send them. Default: false. */
  readonly allowNoContext?: boolean;
  /** Assets need a token that one of these keys signed. Default: none, and no tokens. */
  readonly tokenKeys?: readonly string[];
  /** Called once with the server's origin; the result answers every path outside `/v/` and `/t/`. */
  readonly pages: (origin: string) => Pages;
  readonly log: Logger;
}

/** Answers a request for a page. */
export type Pages = (request: IncomingMessage) => Promise<Reply>;

export interface Edge {
  /** `http://127.0.0.1:8080` */
  readonly origin: string;
  /** Aborts open responses. */
  close(): Promise<void>;
}

/**
 * Serves, on loopback only, the published videos below `/v/` as the CDN does, and the pages for people.
 * Throws Error if the port is not available or an allowed site is not an origin.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { store, deliveryBucket, port, log } = options;
  const { allowedSites, allowNoContext = false, tokenKeys = [] } = options;
  const server = createServer();
  // Checks the sites before the port is opened.
  viewerRequestSource({ allowedSites, allowNoContext });
  const bound = await listen(server, port);
  const { origin, sites, hosts } = addressesOf(bound);
  const rule = { allowedSites: [...sites, ...allowedSites], allowNoContext, tokenKeys };
  const delivery = openDelivery(rule, store, deliveryBucket);
  const pages = options.pages(origin);
  answerRequests(
    server,
    async (request) => {
      // Node uses the first of two Host headers; a proxy may have used the second (RFC 9112, 3.2).
      if (request.headersDistinct.host?.length !== 1) return repeatedHost();
      // DNS rebinding: another site's name that resolves to this machine would make its page same-origin.
      if (!hosts.includes(request.headers.host?.toLowerCase() ?? '')) return foreignHost(origin);
      const { url = '/' } = request;
      return /^\/[vt]\//.test(url) ? deliver(delivery, request) : pages(request);
    },
    log,
  );
  return { origin, close: () => closeServer(server) };
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };

function repeatedHost(): Reply {
  return { status: 400, headers: PLAIN, body: 'A request has one Host header.\n' };
}

function foreignHost(origin: string): Reply {
  return {
    status: 403,
    headers: PLAIN,
    body: `This is not the address of the videos. Open ${origin}/\n`,
  };
}
