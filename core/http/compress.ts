import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Reply } from './reply.ts';

/**
 * The content types in use that CloudFront compresses, from 1,000 bytes to 10 MB. WebVTT is not among them.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
 */
const TYPES = [
  ...['application/vnd.apple.mpegurl', 'application/json'],
  ...['text/javascript', 'application/javascript', 'text/css'],
];
export const MIN_COMPRESSED_BYTES = 1000;
const MAX_COMPRESSED_BYTES = 10_000_000;

/** In the order of preference. */
export const ENCODINGS = ['br', 'gzip'] as const;

export type Encoding = (typeof ENCODINGS)[number];

const COMPRESS = {
  // Brotli's default quality is for files that are compressed once. This one is as fast as gzip's default.
  br: (bytes: Buffer) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (bytes: Buffer) => promisify(gzip)(bytes),
} as const;

/** Compresses a reply if CloudFront would, and the client accepts it. The ETag becomes a weak one. */
export async function compressReply(reply: Reply, acceptEncoding = ''): Promise<Reply> {
  const { status, headers, body } = reply;
  const sizeBytes = Number(headers['content-length']);
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (status !== 200 || !TYPES.includes(type)) return reply;
  if (!(sizeBytes >= MIN_COMPRESSED_BYTES && sizeBytes <= MAX_COMPRESSED_BYTES)) return reply;
  const vary = [headers['vary'], 'Accept-Encoding'].filter(Boolean).join(', ');
  const encoding = acceptedEncoding(acceptEncoding);
  if (!encoding || !(body instanceof Readable)) return { ...reply, headers: { ...headers, vary } };
  const bytes = await COMPRESS[encoding](await buffer(body));
  const compressed = {
    'content-encoding': encoding,
    'content-length': String(bytes.length),
    etag: `W/${headers['etag'] ?? ''}`,
  };
  return { status, headers: { ...headers, vary, ...compressed }, body: bytes };
}

/** Selects the preferred encoding that an Accept-Encoding header allows. */
export function acceptedEncoding(acceptEncoding = ''): Encoding | undefined {
  return ENCODINGS.find((one) => accepts(acceptEncoding, one));
}

function accepts(acceptEncoding: string, encoding: string): boolean {
  const codings = acceptEncoding.split(',').map((coding) => coding.trim().toLowerCase());
  const found = codings.find((coding) => coding.split(/\s*;/, 1)[0] === encoding);
  return found !== undefined && !/;\s*q=0(\.0*)?$/.test(found);
}
