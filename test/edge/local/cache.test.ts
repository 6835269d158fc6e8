import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import type { CachePolicyName } from '../../../edge/behaviours.ts';
import { EdgeCache } from '../../../edge/local/cache.ts';
import type { RangeHeaders, ReadableStore } from '../../../edge/local/origin.ts';
import { memoryStore } from '../memory-store.ts';
import type { MemoryStore } from '../memory-store.ts';

const KEY = 'v/a/index.m3u8';
const SECOND = 1000;

let store: MemoryStore;
/** What the origin was asked. */
let asked: string[];
let now: number;
let cache: EdgeCache;

beforeEach(() => {
  store = memoryStore();
  asked = [];
  now = 0;
  const origin: ReadableStore = {
    head: (bucket, key) => {
      asked.push(`HEAD ${key}`);
      return store.head(bucket, key);
    },
    get: (bucket, key, range) => {
      asked.push(`GET ${key}`);
      return store.get(bucket, key, range);
    },
  };
  cache = new EdgeCache(origin, () => now, 100_000);
});

async function read(
  key = KEY,
  more: {
    readonly method?: string;
    readonly headers?: RangeHeaders;
    readonly policy?: CachePolicyName;
  } = {},
) {
  const { status, headers, body } = await cache.read({
    ...{ method: 'GET', path: `/${key}`, bucket: 'b', key, policy: 'versions', headers: {} },
    ...more,
  });
  const content = body === undefined || typeof body === 'string' ? body : await text(body as never);
  return { status, cache: headers['x-cache'], age: headers['age'], content, headers };
}

describe('how long', () => {
  test.each<[said: string | undefined, policy: CachePolicyName, seconds: number]>([
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
  ])('%s is kept in %s for %i s', async (said, policy, seconds) => {
    store.put('b', KEY, 'one', said === undefined ? {} : { cacheControl: said });
    expect(await read(KEY, { policy })).toMatchObject({ cache: 'Miss from cloudfront' });
    now = seconds * SECOND - 1;
    expect(await read(KEY, { policy })).toMatchObject({
      ...{ cache: 'Hit from cloudfront', age: String(seconds - 1), content: 'one' },
    });
    now += 1;
    expect(await read(KEY, { policy })).toMatchObject({ cache: 'RefreshHit from cloudfront' });
  });

  test.each(['no-store', 'private', 'no-cache', 'max-age=0'])('%s is not kept', async (said) => {
    store.put('b', KEY, 'one', { cacheControl: said });
    for (const _ of [1, 2]) expect((await read()).cache).toBe('Miss from cloudfront');
  });
});

test('what is kept is not asked for again', async () => {
  store.put('b', KEY, 'one', { cacheControl: 'max-age=10' });
  await read();
  asked = [];
  expect(await read()).toMatchObject({ status: 200, content: 'one' });
  expect(await read(KEY, { headers: { range: 'bytes=1-' } })).toMatchObject({
    status: 206,
    content: 'ne',
  });
  const { headers } = await read();
  expect(await read(KEY, { headers: { 'if-none-match': headers['etag'] } })).toMatchObject({
    ...{ status: 304, cache: 'Hit from cloudfront' },
  });
  expect(await read(KEY, { method: 'HEAD' })).toMatchObject({ cache: 'Hit from cloudfront' });
  expect(asked).toEqual([]);
});

test('what has run out is looked at only, and kept on if it is the same', async () => {
  store.put('b', KEY, 'one', { cacheControl: 'max-age=10' });
  await read();
  now = 10 * SECOND;
  asked = [];
  expect(await read()).toMatchObject({ cache: 'RefreshHit from cloudfront', content: 'one' });
  expect(await read()).toMatchObject({ cache: 'Hit from cloudfront', age: '0' });
  expect(asked).toEqual([`HEAD ${KEY}`]);
});

test('what has run out and is another is fetched anew', async () => {
  store.put('b', KEY, 'one', { cacheControl: 'max-age=10' });
  await read();
  store.put('b', KEY, 'another', { cacheControl: 'max-age=10' });
  expect((await read()).content).toBe('one');
  now = 10 * SECOND;
  expect(await read()).toMatchObject({ cache: 'Miss from cloudfront', content: 'another' });
});

test('a part that is asked for first brings the whole, and HEAD brings nothing', async () => {
  store.put('b', KEY, 'one', { cacheControl: 'max-age=10' });
  expect(await read(KEY, { method: 'HEAD' })).toMatchObject({ cache: 'Miss from cloudfront' });
  expect(await read(KEY, { headers: { range: 'bytes=0-0' } })).toMatchObject({
    ...{ status: 206, content: 'o', cache: 'Miss from cloudfront' },
  });
  expect(await read()).toMatchObject({ cache: 'Hit from cloudfront', content: 'one' });
});

test('errors are said to be errors, and not kept', async () => {
  expect(await read()).toMatchObject({ status: 403, cache: 'Error from cloudfront' });
  store.put('b', KEY, 'one', {});
  expect(await read(KEY, { headers: { range: 'bytes=9-' } })).toMatchObject({
    ...{ status: 416, cache: 'Error from cloudfront' },
  });
  expect(await read()).toMatchObject({ status: 200, content: 'one' });
});

test('what was not asked for longest makes room', async () => {
  for (const name of ['a', 'b', 'c']) store.put('b', `v/${name}`, name.repeat(40_000), {});
  await read('v/a');
  await read('v/b');
  await read('v/a');
  await read('v/c');
  expect((await read('v/a')).cache).toBe('Hit from cloudfront');
  expect((await read('v/c')).cache).toBe('Hit from cloudfront');
  expect((await read('v/b')).cache).toBe('Miss from cloudfront');
});

test('what is larger than all of it is passed on', async () => {
  store.put('b', 'v/large', 'x'.repeat(200_000), {});
  expect((await read('v/large')).content?.length).toBe(200_000);
  expect((await read('v/large')).cache).toBe('Miss from cloudfront');
});

test('what is forgotten is not there any more, and what is beside it is', async () => {
  for (const name of ['v/a/1.ts', 'v/ab/1.ts']) store.put('b', name, name, {});
  await read('v/a/1.ts');
  await read('v/ab/1.ts');
  cache.forget('/v/a/');
  expect((await read('v/a/1.ts')).cache).toBe('Miss from cloudfront');
  expect((await read('v/ab/1.ts')).cache).toBe('Hit from cloudfront');
});
