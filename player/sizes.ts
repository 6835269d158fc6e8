import { brotliCompressSync, gzipSync } from 'node:zlib';

/** What the player may have with Brotli, in bytes: each viewer of each site waits for it once. */
export const BUDGET = 150_000;

/** Bytes, as a CDN would send them at its best. */
export function sizesOf(file: Uint8Array) {
  return {
    raw: file.length,
    gzip: gzipSync(file, { level: 9 }).length,
    brotli: brotliCompressSync(file).length,
  } as const;
}
