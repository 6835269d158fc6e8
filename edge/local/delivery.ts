import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { compressReply } from '../../core/http/compress.ts';
import type { Reply } from '../../core/http/reply.ts';
import { PUBLISHED } from '../behaviours.ts';
import { viewerRequestEvent } from '../event.ts';
import { viewerRequestSource } from '../source.ts';
import type { EdgeRule } from '../source.ts';
import { loadEdgeFunction } from './edge-function.ts';
import type { EdgeFunction } from './edge-function.ts';
import { missing, readObject } from './origin.ts';
import type { RangeHeaders, ReadableStore } from './origin.ts';
import { policyHeaders } from './response-headers.ts';

/** What a distribution consists of. */
export interface Delivery {
  readonly edgeFunction: EdgeFunction;
  /** Reads from the delivery bucket. There is no cache here; test/edge/cdn.ts adds one. */
  readonly read: (request: OriginRequest) => Promise<Reply>;
}

export interface OriginRequest {
  readonly method: string;
  /** The path that the edge function returned: an object's key behind a slash. */
  readonly path: string;
  /** The path that the viewer asked for, with its token. It selects the cache policy. */
  readonly viewerPath: string;
  readonly headers: RangeHeaders;
}

/** Throws Error naming every allowed site that is not an origin. */
export function openDelivery(rule: EdgeRule, store: ReadableStore, bucket: string): Delivery {
  return {
    edgeFunction: loadEdgeFunction(viewerRequestSource(rule)),
    read: async ({ path, headers }) => {
      // The edge function passes only paths without escapes.
      const key = path.slice(1);
      if (!PUBLISHED.some((prefix) => key.startsWith(prefix))) return missing();
      return readObject(store, bucket, key, headers);
    },
  };
}

/** Answers a request as the CDN does: edge function, origin, response headers policy, compression. */
export async function deliver(
  { edgeFunction, read }: Delivery,
  request: IncomingMessage,
): Promise<Reply> {
  const { method = 'GET', url = '/', rawHeaders, headers } = request;
  const event = viewerRequestEvent({ method, url, rawHeaders, requestId: randomUUID() });
  const answer = edgeFunction(event);
  if (answer.kind === 'reply') return answer.reply;
  const viewerPath = event.request.uri;
  const reply = await read({ method, path: answer.uri, viewerPath, headers });
  const withPolicy = { ...reply, headers: { ...reply.headers, ...policyHeaders(headers.origin) } };
  return compressReply(withPolicy, headers['accept-encoding']?.toString());
}
