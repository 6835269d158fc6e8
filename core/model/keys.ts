/** Every object key, content type and cache rule. Keys hold ids and numbers only: nothing in them needs escaping. */

import type { Version } from './garbage.ts';

/** Below an immutable version nothing ever changes; the pointer may, and an edge may keep it for ten seconds. */
const CACHE = {
  immutable: 'public, max-age=31536000, immutable',
  pointer: 'public, max-age=10',
} as const;

/** Apple's table of HLS types; a wrong one is refused by players, as nosniff is set. */
const CONTENT_TYPES = new Map([
  ['m3u8', 'application/vnd.apple.mpegurl'],
  ['ts', 'video/mp2t'],
  ['jpg', 'image/jpeg'],
  ['vtt', 'text/vtt; charset=utf-8'],
  ['json', 'application/json'],
]);

export interface DeliveryHeaders {
  readonly contentType: string;
  readonly cacheControl: string;
}

/** What everything of every asset is below. */
export const ASSETS_PREFIX = 'v/';

/** What everything of one asset is below. */
export function assetPrefix(assetId: string): string {
  return `${ASSETS_PREFIX}${assetId}/`;
}

/** The pointer: the multivariant playlist, and the one object of an asset that is ever replaced. */
export function pointerKey(assetId: string): string {
  return `${assetPrefix(assetId)}index.m3u8`;
}

/** A file of one version, by its path within the version: `720p/00000.ts`. */
export function versionKey(assetId: string, version: string, path: string): string {
  return `${assetPrefix(assetId)}${version}/${path}`;
}

export function segmentPath(rendition: string, index: number): string {
  return `${rendition}/${segmentName(index)}`;
}

export function segmentName(index: number): string {
  return `${String(index).padStart(5, '0')}.ts`;
}

export function playlistPath(rendition: string): string {
  return `${rendition}/index.m3u8`;
}

export function imagePath(name: string): string {
  return `images/${name}`;
}

export const ASSET_PATH = 'asset.json';

/** What the delivery bucket keeps with an object of that key. Throws for a kind of file that is not delivered. */
export function deliveryHeaders(key: string): DeliveryHeaders {
  const contentType = CONTENT_TYPES.get(key.slice(key.lastIndexOf('.') + 1));
  if (!contentType) throw new Error(`${key} is no kind of file that is delivered.`);
  const pointer = /^v\/[^/]+\/index\.m3u8$/.test(key);
  return { contentType, cacheControl: pointer ? CACHE.pointer : CACHE.immutable };
}

/** The title that somebody gave an asset, until the pointer carries it. */
export function titleKey(assetId: string): string {
  return `titles/${assetId}.json`;
}

/** Notes of versions that no pointer names lie below this. */
export const UNREFERENCED_PREFIX = 'unnamed/';

export function unreferencedKey({ assetId, version }: Version): string {
  return `${UNREFERENCED_PREFIX}${assetId}/${version}.json`;
}

/** Marks of what was deleted lie below this: apart from what they are about, of which nothing stays. */
export const DELETED_PREFIX = 'deleted/';

export const deletedKeys = {
  asset: (assetId: string) => `${DELETED_PREFIX}assets/${assetId}.json`,
  job: (jobId: string) => `${DELETED_PREFIX}jobs/${jobId}.json`,
} as const;

/** What every job's objects in the work bucket are below. */
export const JOBS_PREFIX = 'jobs/';

/** The objects of a job in the work bucket: its whole state. */
export function jobKeys(jobId: string) {
  const job = `${JOBS_PREFIX}${jobId}`;
  return {
    all: `${job}/`,
    plan: `${job}/plan.json`,
    /** There when every unit has been sent. */
    dispatched: `${job}/dispatched.json`,
    /** There when the job has been reported. */
    result: `${job}/result.json`,
    done: `${job}/done/`,
    marker: (unit: string) => `${job}/done/${unit}.json`,
    /** There when a unit was found faulty after its marker was written, and is made once more. */
    redone: (unit: string) => `${job}/redone/${unit}.json`,
    progress: `${job}/progress/`,
    note: (unit: string) => `${job}/progress/${unit}.json`,
    failures: `${job}/failures/`,
    /** The evidence of what failed, for the person who reads the dead letters. */
    failure: (step: string) => `${job}/failures/${step}.json`,
  } as const;
}
