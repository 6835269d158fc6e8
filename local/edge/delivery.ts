import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { compressReply } from './compress.ts';
import type { EdgeFunction } from './edge-function.ts';
import { viewerRequestEvent } from './event.ts';
import { readObject } from './origin.ts';
import type { ReadableStore } from './origin.ts';
import type { Reply } from './reply.ts';
import { policyHeaders } from './response-headers.ts';

export interface Delivery {
  readonly store: ReadableStore;
  readonly bucket: string;
  /** Lower-case origins, for CORS. */
  readonly allowedSites: readonly string[];
  readonly edgeFunction: EdgeFunction;
}

/** Nothing else of the bucket is published. */
const PUBLISHED = 'v/';

/** Answers a request as the CDN does: the edge function, the origin, the headers policy, compression. */
export async function deliver(delivery: Delivery, request: IncomingMessage): Promise<Reply> {
  const { store, bucket, allowedSites, edgeFunction } = delivery;
  const { method = 'GET', url = '/', rawHeaders, headers } = request;
  const event = viewerRequestEvent({ method, url, rawHeaders, requestId: randomUUID() });
  const answer = edgeFunction(event);
  if (answer.kind === 'reply') return answer.reply;
  const key = decodePath(answer.uri);
  if (!key?.startsWith(PUBLISHED)) {
    return { status: key === undefined ? 400 : 403, headers: { 'cache-control': 'no-store' } };
  }
  const asked = { range: headers.range, ifNoneMatch: headers['if-none-match'] };
  const reply = await readObject(store, bucket, key, asked);
  const policy = policyHeaders(headers.origin, allowedSites);
  const dressed = { ...reply, headers: { ...reply.headers, ...policy } };
  return compressReply(dressed, headers['accept-encoding']?.toString());
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return undefined;
  }
}
