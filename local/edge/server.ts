import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { viewerRequestSource } from '../../edge/source.ts';
import type { ObjectStore } from '../../worker/io/ports.ts';
import type { Logger } from '../../worker/log.ts';
import { servePage } from '../pages.ts';
import type { ListedAsset } from '../pages.ts';
import { deliver } from './delivery.ts';
import { loadEdgeFunction } from './edge-function.ts';

export interface EdgeOptions {
  readonly store: ObjectStore;
  readonly deliveryBucket: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Origins of other sites whose pages may show the videos. */
  readonly allowedSites: readonly string[];
  readonly listAssets: () => Promise<readonly ListedAsset[]>;
  readonly log: Logger;
}

export interface Edge {
  /** `http://127.0.0.1:8080` */
  readonly origin: string;
  close(): Promise<void>;
}

/**
 * Serves, on loopback only, what is published below `/v/` as the CDN will, and beside it the pages
 * for people. Throws when the port is taken.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { store, deliveryBucket, port, allowedSites, listAssets, log } = options;
  const server = createServer();
  await listen(server, port);
  const { port: bound } = server.address() as AddressInfo;
  const own = [`http://127.0.0.1:${bound}`, `http://localhost:${bound}`];
  const sites = [...own, ...allowedSites];
  const edgeFunction = loadEdgeFunction(
    viewerRequestSource({ allowedSites: sites, allowNoContext: false, openPosters: false }),
  );
  const delivery = { store, bucket: deliveryBucket, allowedSites: sites, edgeFunction };
  const pages = { own, listAssets };
  const answer = (request: IncomingMessage, response: ServerResponse) =>
    request.url?.startsWith('/v/')
      ? deliver(delivery, request, response)
      : servePage(pages, request, response);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.once('finish', () =>
      log.debug({ event: 'edge.answered', path: request.url, status: response.statusCode }),
    );
    answer(request, response).catch((error: unknown) => {
      log.error({ event: 'edge.failed', path: request.url, err: error });
      if (!response.headersSent) response.writeHead(500, { 'cache-control': 'no-store' });
      response.end();
    });
  });
  return {
    origin: own[0] ?? '',
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} is taken. Choose another with --port, or 0 for any free one.`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}
