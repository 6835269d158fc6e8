import { expect, test } from 'vitest';
import type { AccessMode } from '../../edge/behaviours.ts';
import { cdnPrincipal, visibleTo } from './guarded-bucket.ts';
import type { Principal, GuardedBucket } from './guarded-bucket.ts';
import { memoryStore } from './memory-store.ts';

const store = memoryStore();
const KEYS = ['v/a/index.m3u8', 'player/vod-player.js', 'private.json', 'jobs/a.json', 'x/v/a'];
for (const key of KEYS) store.put('b', key, 'x');

const SECRET = 'only the CDN knows it';
const anybody: Principal = { signedByCdn: false, referer: undefined };
const published = KEYS.slice(0, 2);

/** The keys that a principal, by default the CDN, can read. */
async function readable(accessMode: AccessMode, principal?: Principal): Promise<readonly string[]> {
  const bucket: GuardedBucket = { store, name: 'b', accessMode, originSecret: SECRET };
  const view = visibleTo(principal ?? cdnPrincipal(bucket), bucket);
  const found = await Promise.all(
    KEYS.map(async (key) => [key, await view.head('b', key), await view.get('b', key)] as const),
  );
  for (const [, head, got] of found) expect(head === undefined).toBe(got === undefined);
  return found.filter(([, head]) => head).map(([key]) => key);
}

test.each<AccessMode>(['cdn-only', 'public-read-via-cdn', 'public-read'])(
  'In %s, the CDN can read what is published and nothing else, and others only if the bucket is public',
  async (mode) => {
    expect(await readable(mode)).toEqual(published);
    const open = mode === 'public-read' ? published : [];
    expect(await readable(mode, anybody)).toEqual(open);
    expect(await readable(mode, { ...anybody, referer: 'https://site.example/' })).toEqual(open);
    expect(await readable(mode, { ...anybody, referer: '' })).toEqual(open);
  },
);

test('Neither a signature nor the secret is accepted in the mode of the other', async () => {
  expect(await readable('public-read-via-cdn', { signedByCdn: true, referer: undefined })).toEqual(
    [],
  );
  expect(await readable('cdn-only', { signedByCdn: false, referer: SECRET })).toEqual([]);
});
