/** All object keys, content types and cache rules. Keys consist of ids and numbers, so they need no escaping. */

import type { Version } from './garbage.ts';

/** Files of a version never change. The pointer does, and the CDN can keep it for ten seconds. */
const CACHE = {
  immutable: 'public, max-age=31536000, immutable',
  pointer: 'public, max-age=10',
} as const;

/** Apple's content types of HLS. Players reject other types, because the CDN sends `nosniff`. */
const CONTENT_TYPES = new Map([
  ['m3u8', 'application/vnd.apple.mpegurl'],
  ['jpg', 'image/jpeg'],
  ['vtt', 'text/vtt; charset=utf-8'],
  ['json', 'application/json'],
]);

export interface DeliveryHeaders {
  readonly contentType: string;
  readonly cacheControl: string;
}

/** The prefix of all assets in the delivery bucket. */
export const ASSETS_PREFIX = 'v/';

/** The prefix of one asset. */
export function assetPrefix(assetId: string): string {
  return `${ASSETS_PREFIX}${assetId}/`;
}

/** The pointer: the multivariant playlist, the only object of an asset that is ever replaced. */
export function pointerKey(assetId: string): string {
  return `${assetPrefix(assetId)}index.m3u8`;
}

/** A file of one version; `path` is relative to the version: `720p/index.m3u8`. */
export function versionKey(assetId: string, version: string, path: string): string {
  return `${assetPrefix(assetId)}${version}/${path}`;
}

export function playlistPath(rendition: string): string {
  return `${rendition}/index.m3u8`;
}

export function imagePath(name: string): string {
  return `images/${name}`;
}

export const ASSET_PATH = 'asset.json';

/**
 * The headers of a delivered object. The content type of a segment is that of its container. Throws Error for another file
 * type that is not delivered.
 */
export function deliveryHeaders(
  key: string,
  contentType = CONTENT_TYPES.get(key.slice(key.lastIndexOf('.') + 1)),
): DeliveryHeaders {
  if (!contentType) throw new Error(`${key} is not a file type that is delivered.`);
  const pointer = /^v\/[^/]+\/index\.m3u8$/.test(key);
  return { contentType, cacheControl: pointer ? CACHE.pointer : CACHE.immutable };
}

/** The title that somebody set for an asset. */
export function titleKey(assetId: string): string {
  return `titles/${assetId}.json`;
}

/** The prefix of notes about unreferenced versions. It keeps its older name, as notes are stored under it. */
export const UNREFERENCED_PREFIX = 'unnamed/';

export function unreferencedKey({ assetId, version }: Version): string {
  return `${UNREFERENCED_PREFIX}${assetId}/${version}.json`;
}

/** The prefix of deletion marks. They are not stored with their job or asset, whose objects are all deleted. */
export const DELETED_PREFIX = 'deleted/';

export const deletedKeys = {
  asset: (assetId: string) => `${DELETED_PREFIX}assets/${assetId}.json`,
  job: (jobId: string) => `${DELETED_PREFIX}jobs/${jobId}.json`,
} as const;

/** The prefix of all jobs in the work bucket. */
export const JOBS_PREFIX = 'jobs/';

/** The keys of a job in the work bucket. These objects are the whole state of the job. */
export function jobKeys(jobId: string) {
  const job = `${JOBS_PREFIX}${jobId}`;
  return {
    prefix: `${job}/`,
    plan: `${job}/plan.json`,
    /** Exists when a message was sent for every unit. */
    dispatched: `${job}/dispatched.json`,
    /** Exists when the job has ended and was reported. */
    result: `${job}/result.json`,
    done: `${job}/done/`,
    marker: (unit: string) => `${job}/done/${unit}.json`,
    /** Exists when a finished unit was found faulty and is made once more. */
    redone: (unit: string) => `${job}/redone/${unit}.json`,
    progress: `${job}/progress/`,
    note: (unit: string) => `${job}/progress/${unit}.json`,
    failures: `${job}/failures/`,
    /** Evidence of a failed step, for the person who reads the dead letters. */
    failure: (step: string) => `${job}/failures/${step}.json`,
  } as const;
}
