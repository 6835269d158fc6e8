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

/** One asset with the same options is the same job, so that a duplicate event adds nothing. */
export function jobIdOf(assetId: string, { ladder, title, soundOnly }: JobOptions): string {
  return digest([assetId, ladder ?? null, title ?? null, soundOnly ?? false]);
}

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20);
}
