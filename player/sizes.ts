import { brotliCompressSync, gzipSync } from 'node:zlib';

/** The most bytes that the player may have with Brotli, as each viewer of each site downloads it once. */
export const BROTLI_BUDGET_BYTES = 150_000;

/** Bytes without compression and at the highest levels that CDNs use. */
export function measureSizes(file: Uint8Array) {
  return {
    raw: file.length,
    gzip: gzipSync(file, { level: 9 }).length,
    brotli: brotliCompressSync(file).length,
  } as const;
}
