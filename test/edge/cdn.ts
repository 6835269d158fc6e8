import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { answerRequests, closeServer, listen } from '../../core/http/listen.ts';
import type { Reply } from '../../core/http/reply.ts';
import { createLog } from '../../core/log.ts';
import { deliver } from '../../edge/local/delivery.ts';
import { loadEdgeFunction } from '../../edge/local/edge-function.ts';
import type { Edge } from '../../edge/local/server.ts';
import { viewerRequestSource } from '../../edge/source.ts';
import type { EdgeRule } from '../../edge/source.ts';
import { EdgeCache, withXCache } from './cache.ts';
import { cdnPrincipal, visibleTo } from './guarded-bucket.ts';
import type { GuardedBucket } from './guarded-bucket.ts';

/** A distribution: the local edge's function and headers, with CloudFront's cache and S3's access modes. */
export interface Cdn {
  readonly cache: EdgeCache;
  answer(request: IncomingMessage): Promise<Reply>;
}

export function openCdn(rule: EdgeRule, bucket: GuardedBucket): Cdn {
  const edgeFunction = loadEdgeFunction(viewerRequestSource(rule));
  const cache = new EdgeCache(visibleTo(cdnPrincipal(bucket), bucket), bucket.name);
  const delivery = { edgeFunction, read: cache.read.bind(cache) };
  return {
    cache,
    answer: async (request) => {
      const reply = await deliver(delivery, request);
      // A reply without the header did not come from the cache.
      return reply.headers['x-cache'] ? reply : withXCache(reply, 'FunctionGeneratedResponse');
    },
  };
}

/** Serves a distribution on a free port of loopback. `changed` may replace its replies. */
export async function startCdn(
  cdn: Cdn,
  changed: (reply: Reply, request: IncomingMessage) => Reply = (reply) => reply,
): Promise<Edge> {
  const server = createServer();
  const answer = async (request: IncomingMessage) => changed(await cdn.answer(request), request);
  const port = await listen(server, 0);
  answerRequests(server, answer, createLog('silent'));
  return { origin: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}
