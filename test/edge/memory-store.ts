import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ObjectHeaders, ObjectInfo } from '../../core/storage/ports.ts';
import type { ReadableStore } from '../../edge/local/origin.ts';

/** Objects in memory. Bodies are read in small pieces, so a slow viewer leaves them partly read. */
export interface MemoryStore extends ReadableStore {
  put(bucket: string, key: string, body: Uint8Array | string, headers?: ObjectHeaders): void;
  /** The number of bodies that are neither read to their end nor destroyed. */
  openBodies(): number;
  /** Resolves when this many bodies are open. */
  whenOpen(count: number): Promise<void>;
}

export function memoryStore(): MemoryStore {
  const objects = new Map<string, { readonly info: ObjectInfo; readonly bytes: Buffer }>();
  let open = 0;
  let waiting: readonly { readonly count: number; readonly done: () => void }[] = [];
  const change = (by: number) => {
    open += by;
    for (const { count, done } of waiting) if (count === open) done();
    waiting = waiting.filter(({ count }) => count !== open);
  };
  return {
    put(bucket, key, body, headers = {}) {
      const bytes = Buffer.from(body);
      const info = {
        key,
        sizeBytes: bytes.length,
        etag: createHash('md5').update(bytes).digest('hex'),
        lastModified: new Date('2026-01-02T03:04:05Z'),
        metadata: {},
        contentType: 'binary/octet-stream',
        ...headers,
      };
      objects.set(`${bucket}/${key}`, { info, bytes });
    },
    async head(bucket, key) {
      return objects.get(`${bucket}/${key}`)?.info;
    },
    async get(bucket, key, range) {
      const found = objects.get(`${bucket}/${key}`);
      if (!found) return undefined;
      const { first, last = found.bytes.length - 1 } = range ?? { first: 0 };
      change(1);
      const body = Readable.from(pieces(found.bytes.subarray(first, last + 1)));
      body.once('close', () => change(-1));
      return { info: found.info, body };
    },
    openBodies: () => open,
    whenOpen: (count) =>
      new Promise((done) => {
        if (open === count) done();
        else waiting = [...waiting, { count, done }];
      }),
  };
}

function* pieces(bytes: Buffer): Iterable<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
