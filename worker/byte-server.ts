import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, pipeline } from 'node:stream';
import type { ByteRange } from '../core/storage/ports.ts';

export type Part = Required<ByteRange>;

/** Resolves to all bytes of the part. The signal is aborted when the reader has gone. */
export type ReadPart = (part: Part, signal: AbortSignal) => Promise<Uint8Array>;

export interface ByteServer {
  /** On loopback, with a random query, which cannot be guessed and which the log redacts. */
  readonly address: string;
  /** Aborted with the error when requested bytes could not be read. */
  readonly failed: AbortSignal;
  close(): Promise<void>;
}

/** A program may read little and seek on, so parts begin small and double up to the maximum. */
const PART_BYTES = { min: 256 * 1024, max: 4 * 1024 * 1024 };

/** Serves a source to programs that read HTTP ranges, as ffmpeg does. */
export async function serveBytes(sizeBytes: number, read: ReadPart): Promise<ByteServer> {
  const failed = new AbortController();
  const url = `/?${randomUUID()}`;
  const server = createServer((request, response) => {
    const range = parseRange(request.headers.range, sizeBytes);
    if (request.url !== url || !range) {
      response.writeHead(request.url === url ? 416 : 404).end();
      return;
    }
    const { first, last } = range;
    response.writeHead(206, {
      'content-length': last - first + 1,
      'content-range': `bytes ${first}-${last}/${sizeBytes}`,
    });
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const bytes = readParts(range, async (part) => {
      try {
        return await read(part, gone.signal);
      } catch (error) {
        // Abort before the connection breaks: the program would take that for the end of the file.
        if (!gone.signal.aborted) failed.abort(error);
        throw error;
      }
    });
    // Reads one part ahead. Errors are handled above.
    pipeline(Readable.from(bytes, { highWaterMark: 1 }), response, () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}${url}`,
    failed: failed.signal,
    close: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

async function* readParts(
  { first, last }: Part,
  read: (part: Part) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let bytes = PART_BYTES.min;
  for (let from = first; from <= last;) {
    const to = Math.min(last, from + bytes - 1);
    yield await read({ first: from, last: to });
    from = to + 1;
    bytes = Math.min(PART_BYTES.max, 2 * bytes);
  }
}

/** Parses `bytes=100-` or `bytes=100-199`; undefined for a range outside the bytes. */
function parseRange(header: string | undefined, sizeBytes: number): Part | undefined {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  const first = Number(from);
  const last = Math.min(to ? Number(to) : Infinity, sizeBytes - 1);
  return first <= last ? { first, last } : undefined;
}
