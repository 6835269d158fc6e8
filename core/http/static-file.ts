import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { acceptedEncoding, MIN_COMPRESSED_BYTES } from './compress.ts';
import type { Encoding } from './compress.ts';
import { isNotModified } from './conditions.ts';
import type { Reply } from './reply.ts';

/** At their best, which takes seconds for a large file. */
const COMPRESS = {
  br: (bytes: Uint8Array) => promisify(brotliCompress)(bytes),
  gzip: (bytes: Uint8Array) => promisify(gzip)(bytes, { level: 9 }),
} as const;

/** A file that is the same for everybody: compressed once, and not sent again to a client that has it. */
export class StaticFile {
  /** Of the content, good for a file's name. */
  readonly hash: string;
  readonly #bytes: Uint8Array;
  readonly #contentType: string;
  readonly #compressed = new Map<Encoding, Promise<Uint8Array>>();

  constructor(bytes: Uint8Array, contentType: string) {
    this.hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    this.#bytes = bytes;
    this.#contentType = contentType;
  }

  /** The answer to a request for it, with these headers besides its own. */
  async answer(asked: IncomingHttpHeaders, more: Readonly<Record<string, string>>): Promise<Reply> {
    const small = this.#bytes.length < MIN_COMPRESSED_BYTES;
    const encoding = small ? undefined : acceptedEncoding(asked['accept-encoding']?.toString());
    const tag = `"${this.hash}"`;
    const headers = {
      ...more,
      vary: 'Accept-Encoding',
      // A strong one stands for the very bytes.
      etag: encoding ? `W/${tag}` : tag,
    };
    if (isNotModified(asked, headers)) return { status: 304, headers };
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
