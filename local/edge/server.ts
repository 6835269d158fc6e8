import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { viewerRequestSource } from '../../edge/source.ts';
import type { Studio } from '../../studio/server.ts';
import type { Logger } from '../../worker/log.ts';
import { answerPage } from '../pages.ts';
import type { ListedAsset } from '../pages.ts';
import { deliver } from './delivery.ts';
import { loadEdgeFunction } from './edge-function.ts';
import type { ReadableStore } from './origin.ts';
import { sendReply } from './reply.ts';
import type { Reply } from './reply.ts';

export interface EdgeOptions {
  readonly store: ReadableStore;
  readonly deliveryBucket: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Origins of other sites whose pages may show the videos; the edge's own pages always may. */
  readonly allowedSites: readonly string[];
  /** Serves also who says nothing of where a request comes from, as apps and scripts do. Default: false. */
  readonly allowNoContext?: boolean;
  /** Every published asset, in the order of the list page. */
  readonly listAssets: () => Promise<readonly ListedAsset[]>;
  /** What answers below `/studio`, of a server with that origin. */
  readonly studio?: (origin: string) => Studio;
  readonly log: Logger;
}

export interface Edge {
  /** `http://127.0.0.1:8080` */
  readonly origin: string;
  /** Ends at once, in the middle of whatever is sent. */
  close(): Promise<void>;
}

/** A viewer that takes nothing for so long is gone, and with it the file it was reading. */
const IDLE_MILLISECONDS = 120_000;

/**
 * Serves, on loopback only, what is published below `/v/` as the CDN will, and beside it the pages
 * for people. Throws Error when the port is taken or a site is no origin.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { store, deliveryBucket, port, allowedSites, allowNoContext = false, log } = options;
  const server = createServer();
  // Before listening: a mistake in the sites leaves no open port behind.
  viewerRequestSource({ allowedSites, allowNoContext });
  const bound = await listen(server, port);
  const hosts = [`127.0.0.1:${bound}`, `localhost:${bound}`];
  const sites = [...hosts.map((host) => `http://${host}`), ...allowedSites];
  const delivery = {
    store,
    bucket: deliveryBucket,
    allowedSites: sites.map((site) => site.toLowerCase()),
    edgeFunction: loadEdgeFunction(viewerRequestSource({ allowedSites: sites, allowNoContext })),
  };
  const origin = `http://127.0.0.1:${bound}`;
  const studio = options.studio?.(origin);

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    // A name of somebody else's that leads to this machine would make their page one of ours (DNS rebinding).
    if (!hosts.includes(request.headers.host?.toLowerCase() ?? '')) return notHere(origin);
    const { url = '/' } = request;
    if (url.startsWith('/v/')) return deliver(delivery, request);
    if (studio && /^\/studio(\/|\?|$)/.test(url)) return studio.answer(request);
    return answerPage(options.listAssets, request);
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { method, url: path } = request;
    response.once('close', () =>
      log.debug({ event: 'edge.answered', method, path, status: response.statusCode }),
    );
    answer(request)
      .then((reply) => sendReply(reply, request, response))
      .catch((error: unknown) => {
        log.error({ event: 'edge.failed', method, path, err: error });
        if (!response.headersSent) response.writeHead(500, { 'cache-control': 'no-store' });
        response.end();
      });
  });
  server.on('error', (error) => log.error({ event: 'edge.failed', err: error }));
  server.setTimeout(IDLE_MILLISECONDS);
  return {
    origin,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function notHere(origin: string): Reply {
  return {
    status: 403,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
    body: `This is not the address of the videos. Open ${origin}/\n`,
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} is taken. Choose another with --port, or 0 for any free one.`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken, { cause: error }) : error);
    });
    server.listen(port, '127.0.0.1', () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
