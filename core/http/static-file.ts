import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { acceptedEncoding, MIN_COMPRESSED_BYTES } from './compress.ts';
import type { Encoding } from './compress.ts';
import { isNotModified } from './conditions.ts';
import type { Reply } from './reply.ts';

/** At the highest quality, which takes seconds for a large file. */
const COMPRESS = {
  br: (bytes: Uint8Array) => promisify(brotliCompress)(bytes),
  gzip: (bytes: Uint8Array) => promisify(gzip)(bytes, { level: 9 }),
} as const;

/** A file that all clients share. It is compressed once, and not sent to clients that have it. */
export class StaticFile {
  /** A hash of the content, usable in a file name. */
  readonly hash: string;
  readonly #bytes: Uint8Array;
  readonly #contentType: string;
  readonly #compressed = new Map<Encoding, Promise<Uint8Array>>();

  constructor(bytes: Uint8Array, contentType: string) {
    this.hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    this.#bytes = bytes;
    this.#contentType = contentType;
  }

  /** Answers a request, with additional headers. */
  async answer(
    request: IncomingHttpHeaders,
    additional: Readonly<Record<string, string>>,
  ): Promise<Reply> {
    const small = this.#bytes.length < MIN_COMPRESSED_BYTES;
    const encoding = small ? undefined : acceptedEncoding(request['accept-encoding']?.toString());
    const tag = `"${this.hash}"`;
    const headers = {
      ...additional,
      vary: 'Accept-Encoding',
      // Strong ETags identify exact bytes, so the compressed form gets a weak one.
      etag: encoding ? `W/${tag}` : tag,
    };
    if (isNotModified(request, headers)) return { status: 304, headers };
    const body = encoding ? await this.#compress(encoding) : this.#bytes;
    return {
      status: 200,
      headers: {
        ...headers,
        'content-type': this.#contentType,
        ...(encoding ? { 'content-encoding': encoding } : {}),
        'content-length': String(body.length),
      },
      body,
    };
  }

  #compress(encoding: Encoding): Promise<Uint8Array> {
    const known = this.#compressed.get(encoding);
    if (known) return known;
    const made = COMPRESS[encoding](this.#bytes);
    this.#compressed.set(encoding, made);
    return made;
  }
}
