import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Bytes, as a CDN would send them at its best. */
export function sizesOf(file: Uint8Array) {
  return {
    raw: file.length,
    gzip: gzipSync(file, { level: 9 }).length,
    brotli: brotliCompressSync(file).length,
  } as const;
}
