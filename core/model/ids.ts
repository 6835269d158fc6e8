import { createHash } from 'node:crypto';
import type { JobOptions } from './message.ts';

/** One uploaded object is one asset: the same bucket, key and ETag give the same id, 20 hex digits. */
export function assetIdOf(source: {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
}): string {
  return digest([source.bucket, source.key, source.etag]);
}

/**
 * One asset made in the same way is the same job, so that a duplicate event adds nothing. A title is no part of
 * it: another title has nothing made again.
 */
export function jobIdOf(assetId: string, { ladder, soundOnly }: JobOptions): string {
  // The third part was the title once: jobs keep their ids.
  return digest([assetId, ladder ?? null, null, soundOnly ?? false]);
}

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20);
}
