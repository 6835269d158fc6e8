import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { viewerRequestSource } from '../source.ts';
import type { Logger } from '../../core/log.ts';
import { addressesOf } from './addresses.ts';
import { deliver, openDelivery } from './delivery.ts';
import { answerRequests, closeServer, listen } from '../../core/http/listen.ts';
import type { ReadableStore } from './origin.ts';
import type { Reply } from '../../core/http/reply.ts';

export interface EdgeOptions {
  readonly store: ReadableStore;
  readonly deliveryBucket: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Origins of other sites whose pages may show the videos; the edge's own pages always may. */
  readonly allowedSites: readonly string[];
  /** Serves also who says nothing of where a request comes from, as apps and scripts do. Default: false. */
  readonly allowNoContext?: boolean;
  /** Assets are fetched with a token that one of these keys signed, too. Default: none, and no tokens. */
  readonly tokenKeys?: readonly string[];
  /** Makes what answers all other paths, once the server's origin is known. `forget` drops an asset from the cache. */
  readonly pages: (origin: string, forget: (assetId: string) => void) => Pages;
  readonly log: Logger;
}

/** Answers a request for anything that is not published. */
export type Pages = (request: IncomingMessage) => Promise<Reply>;

export interface Edge {
  /** `http://127.0.0.1:8080` */
  readonly origin: string;
  /** Ends at once, in the middle of whatever is sent. */
  close(): Promise<void>;
}

/**
 * Serves, on loopback only, what is published below `/v/` as the CDN will, and beside it the pages
 * for people. Throws Error when the port cannot be had or a site is no origin.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { store, deliveryBucket, port, log } = options;
  const { allowedSites, allowNoContext = false, tokenKeys = [] } = options;
  const server = createServer();
  // Before listening: a mistake in the sites leaves no open port behind.
  viewerRequestSource({ allowedSites, allowNoContext });
  const bound = await listen(server, port);
  const { origin, sites, hosts } = addressesOf(bound);
  const delivery = openDelivery(
    { allowedSites: [...sites, ...allowedSites], allowNoContext, tokenKeys },
    { store, name: deliveryBucket, accessMode: 'cdn-only', originSecret: '' },
  );
  const pages = options.pages(origin, (assetId) => delivery.cache.forget(`/v/${assetId}/`));
  answerRequests(
    server,
    async (request) => {
      // Node keeps the first of two; a proxy before it may have looked at the second (RFC 9112, 3.2).
      if (request.headersDistinct.host?.length !== 1) return twoHosts();
      // A name of somebody else's that leads to this machine would make their page one of ours (DNS rebinding).
      if (!hosts.includes(request.headers.host?.toLowerCase() ?? '')) return notHere(origin);
      const { url = '/' } = request;
      return /^\/[vt]\//.test(url) ? deliver(delivery, request) : pages(request);
    },
    log,
  );
  return { origin, close: () => closeServer(server) };
}

const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };

function twoHosts(): Reply {
  return { status: 400, headers: PLAIN, body: 'A request has one Host header.\n' };
}

function notHere(origin: string): Reply {
  return {
    status: 403,
    headers: PLAIN,
    body: `This is not the address of the videos. Open ${origin}/\n`,
  };
}
