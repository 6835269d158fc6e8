import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable, pipeline } from 'node:stream';
import type { ByteRange } from '../core/storage/ports.ts';

export type Part = Required<ByteRange>;

/** Resolves to all bytes of the part, or throws. The signal says that nobody waits for them any more. */
export type ReadPart = (part: Part, signal: AbortSignal) => Promise<Uint8Array>;

export interface ByteServer {
  /** On loopback, with a random query: nobody can guess it, and the log redacts it. */
  readonly address: string;
  /** Aborted, with the error as its reason, when bytes that a program asked for could not be read. */
  readonly failed: AbortSignal;
  close(): Promise<void>;
}

/** A program may read little and seek on, so that parts begin small and double up to the largest. */
const PART_BYTES = { first: 256 * 1024, most: 4 * 1024 * 1024 };

/** Serves that many bytes to programs that read by HTTP ranges, as ffmpeg does. */
export async function serveBytes(sizeBytes: number, read: ReadPart): Promise<ByteServer> {
  const failed = new AbortController();
  const url = `/?${randomUUID()}`;
  const server = createServer((request, response) => {
    const range = rangeOf(request.headers.range, sizeBytes);
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
        // Before the connection breaks: a program takes that for the end of the file.
        if (!gone.signal.aborted) failed.abort(error);
        throw error;
      }
    });
    // One part is read ahead. What went wrong is known by now.
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
  let bytes = PART_BYTES.first;
  for (let from = first; from <= last;) {
    const to = Math.min(last, from + bytes - 1);
    yield await read({ first: from, last: to });
    from = to + 1;
    bytes = Math.min(PART_BYTES.most, 2 * bytes);
  }
}

/** `bytes=100-` or `bytes=100-199`; undefined for what is not within the bytes. */
function rangeOf(header: string | undefined, sizeBytes: number): Part | undefined {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(header ?? '') ?? [];
  const first = Number(from);
  const last = Math.min(to ? Number(to) : Infinity, sizeBytes - 1);
  return first <= last ? { first, last } : undefined;
}
