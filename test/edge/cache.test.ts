import { text } from 'node:stream/consumers';
import { beforeEach, expect, test } from 'vitest';
import type { CachePolicyName } from '../../edge/behaviours.ts';
import type { RangeHeaders, ReadableStore } from '../../edge/local/origin.ts';
import { EdgeCache, policyFor } from './cache.ts';
import { memoryStore } from './memory-store.ts';
import type { MemoryStore } from './memory-store.ts';

const POINTER = '/v/a/index.m3u8';
/** A path of each cache policy. */
const PATH_OF: Readonly<Record<CachePolicyName, string>> = {
  versions: '/v/a/b/720p/00000.ts',
  pointer: POINTER,
  player: '/player/vod-player.js',
};
const SECOND = 1000;

let store: MemoryStore;
/** The requests that reached the origin. */
let originRequests: string[];
let now: number;
let cache: EdgeCache;

beforeEach(() => {
  store = memoryStore();
  originRequests = [];
  now = 0;
  const origin: ReadableStore = {
    head: (bucket, key) => {
      originRequests.push(`HEAD /${key}`);
      return store.head(bucket, key);
    },
    get: (bucket, key, range) => {
      originRequests.push(`GET /${key}`);
      return store.get(bucket, key, range);
    },
  };
  cache = new EdgeCache(origin, 'b', () => now);
});

function put(path: string, body: string, cacheControl?: string): void {
  store.put('b', path.slice(1), body, cacheControl === undefined ? {} : { cacheControl });
}

async function read(
  path = POINTER,
  { method = 'GET', headers = {} }: { method?: string; headers?: RangeHeaders } = {},
) {
  const reply = await cache.read({ method, path, viewerPath: path, headers });
  const { status, body } = reply;
  const content = body === undefined || typeof body === 'string' ? body : await text(body as never);
  return { status, content, cache: reply.headers['x-cache'], headers: reply.headers };
}

const token = `/t/1795665600.${'x'.repeat(43)}`;

test.each([
  ['/v/0123456789abcdef0123/index.m3u8', 'pointer'],
  [`${token}/v/0123456789abcdef0123/index.m3u8`, 'pointer'],
  ['/v/0123456789abcdef0123/fedcba98/720p/index.m3u8', 'versions'],
  [`${token}/v/0123456789abcdef0123/fedcba98/720p/index.m3u8`, 'versions'],
  ['/v/0123456789abcdef0123/fedcba98/720p/00000.ts', 'versions'],
  [`${token}/v/0123456789abcdef0123/fedcba98/720p/00000.ts`, 'versions'],
  ['/v/0123456789abcdef0123/index-m3u8', 'versions'],
  ['/player/vod-player.js', 'player'],
  ['/x/player/vod-player.js', 'versions'],
])('%s has the cache policy %s', (path, policy) => {
  expect(policyFor(path)).toBe(policy);
});

test.each<[cacheControl: string | undefined, policy: CachePolicyName, seconds: number]>([
  ['public, max-age=31536000, immutable', 'versions', 31_536_000],
  ['public, max-age=10', 'versions', 10],
  ['public, max-age=10', 'pointer', 10],
  ['max-age=3600', 'pointer', 10],
  ['max-age=5', 'pointer', 5],
  ['max-age=5, s-maxage=7', 'pointer', 7],
  ['MAX-AGE=5', 'pointer', 5],
  [undefined, 'pointer', 10],
  [undefined, 'versions', 31_536_000],
  [undefined, 'player', 300],
  ['max-age=86400', 'player', 3600],
])('An object with Cache-Control %s under the policy %s is cached for %i s', async (...row) => {
  const [cacheControl, policy, seconds] = row;
  const path = PATH_OF[policy];
  put(path, 'one', cacheControl);
  expect(await read(path)).toMatchObject({ cache: 'Miss from cloudfront' });
  now = seconds * SECOND - 1;
  expect(await read(path)).toMatchObject({
    content: 'one',
    headers: { 'x-cache': 'Hit from cloudfront', age: String(seconds - 1) },
  });
  now += 1;
  expect(await read(path)).toMatchObject({ cache: 'RefreshHit from cloudfront' });
});

test.each(['no-store', 'private', 'no-cache', 'max-age=0'])(
  'An object with Cache-Control %s is not cached',
  async (cacheControl) => {
    put(POINTER, 'one', cacheControl);
    for (const _ of [1, 2]) expect((await read()).cache).toBe('Miss from cloudfront');
  },
);

test('Requests for a cached object, also conditional and partial ones, do not reach the origin', async () => {
  put(POINTER, 'one');
  await read();
  originRequests = [];
  expect(await read()).toMatchObject({ status: 200, content: 'one' });
  expect(await read(POINTER, { headers: { range: 'bytes=1-' } })).toMatchObject({
    status: 206,
    content: 'ne',
  });
  const { headers } = await read();
  expect(await read(POINTER, { headers: { 'if-none-match': headers['etag'] } })).toMatchObject({
    status: 304,
    cache: 'Hit from cloudfront',
  });
  expect(await read(POINTER, { method: 'HEAD' })).toMatchObject({ cache: 'Hit from cloudfront' });
  expect(originRequests).toEqual([]);
});

test('A stale object is validated, and its lifetime begins again if it is unchanged', async () => {
  put(POINTER, 'one', 'max-age=10');
  await read();
  now = 10 * SECOND;
  originRequests = [];
  expect(await read()).toMatchObject({ cache: 'RefreshHit from cloudfront', content: 'one' });
  expect((await read()).headers).toMatchObject({ 'x-cache': 'Hit from cloudfront', age: '0' });
  expect(originRequests).toEqual([`HEAD ${POINTER}`]);
});

test('A replaced object is served once the old one is stale', async () => {
  put(POINTER, 'one', 'max-age=10');
  await read();
  put(POINTER, 'another', 'max-age=10');
  expect((await read()).content).toBe('one');
  now = 10 * SECOND;
  expect(await read()).toMatchObject({ cache: 'Miss from cloudfront', content: 'another' });
});

test('A request for a range caches the whole object, and HEAD caches nothing', async () => {
  put(POINTER, 'one');
  expect(await read(POINTER, { method: 'HEAD' })).toMatchObject({ cache: 'Miss from cloudfront' });
  expect(await read(POINTER, { headers: { range: 'bytes=0-0' } })).toMatchObject({
    status: 206,
    content: 'o',
    cache: 'Miss from cloudfront',
  });
  expect(await read()).toMatchObject({ cache: 'Hit from cloudfront', content: 'one' });
});

test('Errors are labelled as such and not cached', async () => {
  expect(await read()).toMatchObject({ status: 403, cache: 'Error from cloudfront' });
  put(POINTER, 'one');
  expect(await read(POINTER, { headers: { range: 'bytes=9-' } })).toMatchObject({
    status: 416,
    cache: 'Error from cloudfront',
  });
  expect(await read()).toMatchObject({ status: 200, content: 'one' });
});
