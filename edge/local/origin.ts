import { MISSING } from '../behaviours.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';
import { readRange } from './byte-range.ts';
import { isNotModified, isOtherVersion, isRangeOfThis } from '../../core/http/conditions.ts';
import type { Conditions } from '../../core/http/conditions.ts';
import type { Reply } from '../../core/http/reply.ts';

export type ReadableStore = Pick<ObjectStore, 'head' | 'get'>;

/** The headers that decide, beside the key, which bytes are asked for. */
export type RangeHeaders = Conditions & { readonly range?: string | undefined };

function missing(): Reply {
  return errorReply(MISSING.status, 'AccessDenied', 'Access Denied');
}

/** S3's answer to a path whose percent signs mean nothing. */
export function badAddress(): Reply {
  return errorReply(400, 'InvalidURI', "Couldn't parse the specified URI.");
}

function errorReply(status: number, code: string, message: string): Reply {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message><RequestId>LOCAL</RequestId><HostId>LOCAL</HostId></Error>`,
  };
}

/** Answers for one object as S3 does, with the type it was stored with and no guess at another. */
export async function readObject(
  store: ReadableStore,
  bucket: string,
  key: string,
  asked: RangeHeaders,
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
  if (isOtherVersion(asked, validators)) {
    return errorReply(412, 'PreconditionFailed', 'A precondition of the request does not hold.');
  }
  if (isNotModified(asked, validators)) return { status: 304, headers };
  const { sizeBytes } = info;
  const wanted = isRangeOfThis(asked, validators) ? asked.range : undefined;
  const range = readRange(wanted, sizeBytes);
  if (range === 'unsatisfiable') {
    return { status: 416, headers: { 'content-range': `bytes */${sizeBytes}` } };
  }
  const found = await store.get(bucket, key, range === 'whole' ? undefined : range);
  if (found?.info.etag !== info.etag) {
    // Replaced since the look at it: what was said above is of another object.
    found?.body.destroy();
    return readObject(store, bucket, key, asked);
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
