import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Reply } from './reply.ts';

/**
 * Of our types those that CloudFront compresses, from 1,000 bytes to 10 MB; WebVTT is not among them.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
 */
const TYPES = ['application/vnd.apple.mpegurl', 'application/json'];
const LEAST_BYTES = 1000;
const MOST_BYTES = 10_000_000;

/** Compresses what CloudFront would for a viewer that accepts so; the ETag becomes a weak one. */
export async function compressReply(reply: Reply, acceptEncoding = ''): Promise<Reply> {
  const { status, headers, body } = reply;
  const sizeBytes = Number(headers['content-length']);
  if (status !== 200 || !TYPES.includes(headers['content-type'] ?? '')) return reply;
  if (!(sizeBytes >= LEAST_BYTES && sizeBytes <= MOST_BYTES)) return reply;
  const vary = [headers['vary'], 'Accept-Encoding'].filter(Boolean).join(', ');
  if (!acceptsGzip(acceptEncoding) || !(body instanceof Readable)) {
    return { ...reply, headers: { ...headers, vary } };
  }
  const bytes = await promisify(gzip)(await buffer(body));
  const compressed = {
    'content-encoding': 'gzip',
    'content-length': String(bytes.length),
    etag: `W/${headers['etag'] ?? ''}`,
  };
  return { status, headers: { ...headers, vary, ...compressed }, body: bytes };
}

function acceptsGzip(acceptEncoding: string): boolean {
  const gzipped = acceptEncoding.split(',').find((coding) => /^\s*gzip\s*(;|$)/i.test(coding));
  return gzipped !== undefined && !/;\s*q=0(\.0*)?\s*$/i.test(gzipped);
}
