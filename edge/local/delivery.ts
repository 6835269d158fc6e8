import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { DEFAULT_POLICY, PATHS } from '../behaviours.ts';
import type { CachePolicyName } from '../behaviours.ts';
import { viewerRequestSource } from '../source.ts';
import type { EdgeRule } from '../source.ts';
import { cdnPrincipal, visibleTo } from './bucket.ts';
import type { GuardedBucket } from './bucket.ts';
import { EdgeCache, labelled } from './cache.ts';
import { compressReply } from '../../core/http/compress.ts';
import { loadEdgeFunction } from './edge-function.ts';
import type { EdgeFunction } from './edge-function.ts';
import { viewerRequestEvent } from '../event.ts';
import type { Reply } from '../../core/http/reply.ts';
import { policyHeaders } from './response-headers.ts';

/** A distribution: its function, its cache, and the bucket behind it. */
export interface Delivery {
  readonly bucket: string;
  readonly edgeFunction: EdgeFunction;
  readonly cache: EdgeCache;
}

/** Throws Error naming every site that is none. The clock is in milliseconds. */
export function openDelivery(
  rule: EdgeRule,
  bucket: GuardedBucket,
  clock: () => number = Date.now,
): Delivery {
  return {
    bucket: bucket.name,
    edgeFunction: loadEdgeFunction(viewerRequestSource(rule), clock),
    cache: new EdgeCache(visibleTo(cdnPrincipal(bucket), bucket), clock),
  };
}

/** Answers a request as the CDN does: the edge function, cache and origin, the headers policy, compression. */
export async function deliver(delivery: Delivery, request: IncomingMessage): Promise<Reply> {
  const { bucket, edgeFunction, cache } = delivery;
  const { method = 'GET', url = '/', rawHeaders, headers } = request;
  const event = viewerRequestEvent({ method, url, rawHeaders, requestId: randomUUID() });
  const answer = edgeFunction(event);
  if (answer.kind === 'reply') return labelled(answer.reply, 'FunctionGeneratedResponse');
  const { uri: path } = answer;
  // The rule lets only addresses through that have no escapes.
  const key = path.slice(1);
  const reply = await cache.read({
    ...{ method, path, bucket, key, headers, policy: policyFor(event.request.uri) },
  });
  const policy = policyHeaders(headers.origin);
  const dressed = { ...reply, headers: { ...reply.headers, ...policy } };
  return compressReply(dressed, headers['accept-encoding']?.toString());
}

/** How an edge keeps what is asked for by that path: the viewer's, as a function that changes it changes nothing of this. */
export function policyFor(path: string): CachePolicyName {
  const found = PATHS.find(({ pattern }) => {
    const matching = pattern.replaceAll('.', '\\.').replaceAll('*', '.*');
    return new RegExp(`^${matching}$`, 's').test(path);
  });
  return found?.policy ?? DEFAULT_POLICY;
}
