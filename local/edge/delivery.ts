import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import type { ObjectStore } from '../../worker/io/ports.ts';
import { readRange } from './byte-range.ts';
import { edgeHeaders } from './edge-function.ts';
import type { EdgeAnswer, EdgeRequest } from './edge-function.ts';
import { policyHeaders } from './response-headers.ts';

export interface Delivery {
  readonly store: ObjectStore;
  readonly bucket: string;
  readonly allowedSites: readonly string[];
  readonly edgeFunction: (request: EdgeRequest) => EdgeAnswer;
}

/** What CloudFront compresses: these types, from 1,000 bytes to 10 MB. WebVTT is not among them. */
const COMPRESSED = /^application\/(vnd\.apple\.mpegurl|json)/;

/** Answers a request for something published as the CDN does: rule, origin, ranges, headers. */
export async function deliver(
  { store, bucket, allowedSites, edgeFunction }: Delivery,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? 'GET';
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  const answer = edgeFunction({ method, uri: path, headers: edgeHeaders(request.rawHeaders) });
  if (answer.kind === 'response') {
    response.writeHead(answer.status, answer.headers).end();
    return;
  }
  const policy = policyHeaders(request.headers.origin, allowedSites);
  const reply = (status: number, headers: Readonly<Record<string, string | number>>) =>
    response.writeHead(status, { ...headers, ...policy });
  const key = decodePath(answer.uri);
  if (key === undefined) {
    reply(400, { 'cache-control': 'no-store' }).end();
    return;
  }
  const info = await store.head(bucket, key);
  if (!info) {
    // Without the right to list, S3 says 403 of an object that is not there.
    reply(403, { 'content-type': 'application/xml' }).end(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>',
    );
    return;
  }
  const headers = {
    'content-type': info.contentType,
    ...(info.cacheControl ? { 'cache-control': info.cacheControl } : {}),
    etag: `"${info.etag}"`,
    'last-modified': info.lastModified.toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (request.headers['if-none-match'] === headers.etag) {
    reply(304, headers).end();
    return;
  }
  const range = readRange(request.headers.range, info.sizeBytes);
  if (range === 'unsatisfiable') {
    reply(416, { 'content-range': `bytes */${info.sizeBytes}` }).end();
    return;
  }
  const found = await store.get(bucket, key, range === 'whole' ? undefined : range);
  if (!found) {
    reply(403, { 'cache-control': 'no-store' }).end();
    return;
  }
  if (range === 'whole' && compresses(request, info.contentType, info.sizeBytes)) {
    const bytes = gzipSync(await buffer(found.body));
    const compressed = { 'content-encoding': 'gzip', 'content-length': bytes.length };
    reply(200, { ...headers, ...compressed }).end(method === 'HEAD' ? undefined : bytes);
    return;
  }
  const length = range === 'whole' ? info.sizeBytes : range.last - range.first + 1;
  const part =
    range === 'whole'
      ? {}
      : { 'content-range': `bytes ${range.first}-${range.last}/${info.sizeBytes}` };
  reply(range === 'whole' ? 200 : 206, { ...headers, ...part, 'content-length': length });
  if (method === 'HEAD') {
    found.body.destroy();
    response.end();
    return;
  }
  try {
    await pipeline(found.body, response);
  } catch (error) {
    // Viewers go away in the middle of a segment all the time.
    if (!response.destroyed) throw error;
  }
}

function compresses(request: IncomingMessage, contentType: string, size: number): boolean {
  const accepted = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  return accepted && COMPRESSED.test(contentType) && size >= 1000 && size <= 10_000_000;
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path.slice(1));
  } catch {
    return undefined;
  }
}
