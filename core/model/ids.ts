import { createHash } from 'node:crypto';
import type { JobOptions } from './message.ts';

/** Each uploaded object is one asset: bucket, key and ETag determine its id of 20 hex digits. */
export function assetIdOf(source: {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
}): string {
  return digest([source.bucket, source.key, source.etag]);
}

/**
 * The asset and the options determine a job's id, so a duplicate event adds no job. The title does not count, as a
 * new title needs no new encoding.
 */
export function jobIdOf(assetId: string, { ladder, soundOnly }: JobOptions): string {
  // The third part used to be the title. It stays as null so that job ids do not change.
  return digest([assetId, ladder ?? null, null, soundOnly ?? false]);
}

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20);
}
