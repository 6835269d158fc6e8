import { isNotModified, isOtherVersion, isRangeOfThis } from '../../core/http/conditions.ts';
import type { Conditions } from '../../core/http/conditions.ts';
import type { Reply } from '../../core/http/reply.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';
import { MISSING } from '../behaviours.ts';
import { readRange } from './byte-range.ts';

export type ReadableStore = Pick<ObjectStore, 'head' | 'get'>;

/** The request headers that select the bytes of an object. */
export type RangeHeaders = Conditions & { readonly range?: string | undefined };

/** S3's answer for a key that does not exist, or that the CDN may not read. */
export function missing(): Reply {
  return errorReply(MISSING.status, 'AccessDenied', 'Access Denied');
}

function errorReply(status: number, code: string, message: string): Reply {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>LOCAL</RequestId><HostId>LOCAL</HostId></Error>`,
  };
}

/** Answers a request for one object as S3 does. The content type is the stored one; it is never guessed. */
export async function readObject(
  store: ReadableStore,
  bucket: string,
  key: string,
  requestHeaders: RangeHeaders,
): Promise<Reply> {
  const info = await store.head(bucket, key);
  if (!info) return missing();
  const headers = {
    'content-type': info.contentType,
    ...(info.cacheControl ? { 'cache-control': info.cacheControl } : {}),
    etag: `"${info.etag}"`,
    'last-modified': info.lastModified.toUTCString(),
    'accept-ranges': 'bytes',
  };
  const validators = { etag: headers.etag, lastModified: info.lastModified };
  if (isOtherVersion(requestHeaders, validators)) {
    return errorReply(412, 'PreconditionFailed', 'A precondition of the request does not hold.');
  }
  if (isNotModified(requestHeaders, validators)) return { status: 304, headers };
  const { sizeBytes } = info;
  const rangeHeader = isRangeOfThis(requestHeaders, validators) ? requestHeaders.range : undefined;
  const range = readRange(rangeHeader, sizeBytes);
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { 'content-range': `bytes */${sizeBytes}` } };
  }
  const found = await store.get(bucket, key, range === 'whole' ? undefined : range);
  if (found?.info.etag !== info.etag) {
    // The object was replaced between the two reads, so the headers above belong to the old one.
    found?.body.destroy();
    return readObject(store, bucket, key, requestHeaders);
  }
  const { body } = found;
  if (range === 'whole') {
    return { status: 200, headers: { ...headers, 'content-length': String(sizeBytes) }, body };
  }
  const { first, last } = range;
  const part = {
    'content-range': `bytes ${first}-${last}/${sizeBytes}`,
    'content-length': String(last - first + 1),
  };
  return { status: 206, headers: { ...headers, ...part }, body };
}
