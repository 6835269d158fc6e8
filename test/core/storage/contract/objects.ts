import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PreconditionFailedError } from '../../../../core/storage/ports.ts';
import type { ObjectStore } from '../../../../core/storage/ports.ts';
import type { ContractBackend, Subject } from './backend.ts';

const HARD_KEYS = [
  'plain.mp4',
  'with space.mp4',
  '#2 4 Protection with PropTypes.mp4',
  '100% +a?b&c=d;e.mp4',
  `quotes ' " and \\ back.mp4`,
  '강의 1강 – 소개.mp4',
  '한글'.normalize('NFD'),
  '🎬 take 🧑‍💻.mov',
  'a//b///c',
  'folder/../up/./here',
  '/leading',
  'trailing/',
  '<tag>&amp;{}[]|^~`',
  `long-${'x'.repeat(995)}`,
];

export function describeObjects({ open, many }: Subject): void {
  describe('Objects', () => {
    let backend: ContractBackend;
    let store: ObjectStore;
    let bucket: string;
    beforeAll(async () => {
      backend = await open();
      ({ store } = backend.backend);
      bucket = backend.buckets.plain;
    });
    afterAll(() => backend.close());

    const read = async (key: string) => {
      const found = await store.get(bucket, key);
      return found && (await buffer(found.body)).toString('utf8');
    };

    test('Objects are read as they were written, with their type, cache rule and metadata', async () => {
      const { etag } = await store.put(bucket, 'one.m3u8', '#EXTM3U\n', {
        contentType: 'application/vnd.apple.mpegurl',
        cacheControl: 'public, max-age=10',
        metadata: { planned: '2026-11-24T00:00:00.000Z' },
      });
      expect(await read('one.m3u8')).toBe('#EXTM3U\n');
      expect(await store.head(bucket, 'one.m3u8')).toMatchObject({
        key: 'one.m3u8',
        sizeBytes: 8,
        etag,
        contentType: 'application/vnd.apple.mpegurl',
        cacheControl: 'public, max-age=10',
        metadata: { planned: '2026-11-24T00:00:00.000Z' },
      });
    });

    test('Missing objects are undefined, and deleting them succeeds', async () => {
      expect(await store.get(bucket, 'nothing')).toBeUndefined();
      expect(await store.head(bucket, 'nothing')).toBeUndefined();
      await store.delete(bucket, 'nothing');
    });

    test('Deleted objects are gone at once', async () => {
      await store.put(bucket, 'short-lived', 'x');
      await store.delete(bucket, 'short-lived');
      expect(await store.head(bucket, 'short-lived')).toBeUndefined();
    });

    test('Objects can be empty', async () => {
      await store.put(bucket, 'empty', '');
      expect(await read('empty')).toBe('');
    });

    test.each(HARD_KEYS.map((key) => [key]))('Objects can have the key %j', async (key) => {
      await store.put(bucket, `hard/${key}`, key);
      expect(await read(`hard/${key}`)).toBe(key);
      const found = [];
      for await (const summary of store.list(bucket, `hard/${key}`)) found.push(summary.key);
      expect(found).toEqual([`hard/${key}`]);
      await store.delete(bucket, `hard/${key}`);
    });

    test('Keys in composed and decomposed Korean are different', async () => {
      await store.put(bucket, 'two/한글', 'composed');
      await store.put(bucket, 'two/한글'.normalize('NFD'), 'decomposed');
      expect(await read('two/한글')).toBe('composed');
      expect(await read('two/한글'.normalize('NFD'))).toBe('decomposed');
    });

    test.each([
      [{ first: 0, last: 0 }, '0'],
      [{ first: 2, last: 4 }, '234'],
      [{ first: 7 }, '789'],
      [{ first: 8, last: 100 }, '89'],
    ])('Objects are read by the range %j', async (range, expected) => {
      await store.put(bucket, 'digits', '0123456789');
      const found = await store.get(bucket, 'digits', range);
      expect(found && (await buffer(found.body)).toString()).toBe(expected);
      expect(found?.info.sizeBytes).toBe(10);
    });

    test.each([{ first: 10 }, { first: 5, last: 4 }, { first: -1 }])(
      'The range %j, which is outside the object, is rejected',
      async (range) => {
        await store.put(bucket, 'digits', '0123456789');
        await expect(store.get(bucket, 'digits', range)).rejects.toThrow(RangeError);
      },
    );

    test('Objects that are not read to their end do not block others', async () => {
      await store.put(bucket, 'unread', Buffer.alloc(2 ** 20));
      for (let times = 0; times < 50; times += 1) {
        (await store.get(bucket, 'unread'))?.body.destroy();
      }
      expect((await store.head(bucket, 'unread'))?.sizeBytes).toBe(2 ** 20);
    });

    test('One of eight concurrent conditional writes creates an object', async () => {
      const tries = Array.from({ length: 8 }, (_, index) =>
        store.put(bucket, 'race/create', `writer ${index}`, {}, { ifNoneMatch: '*' }),
      );
      const results = await Promise.allSettled(tries);
      const winner = results.findIndex(({ status }) => status === 'fulfilled');
      const losers = results.filter(({ status }) => status === 'rejected');
      expect(losers).toHaveLength(7);
      for (const loser of losers) {
        expect((loser as PromiseRejectedResult).reason).toBeInstanceOf(PreconditionFailedError);
      }
      expect(await read('race/create')).toBe(`writer ${winner}`);
    });

    test('One of eight concurrent conditional writes with the same ETag replaces an object', async () => {
      const { etag } = await store.put(bucket, 'race/replace', 'before');
      const tries = Array.from({ length: 8 }, (_, index) =>
        store.put(bucket, 'race/replace', `writer ${index}`, {}, { ifMatch: etag }),
      );
      const results = await Promise.allSettled(tries);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await expect(
        store.put(bucket, 'race/replace', 'late', {}, { ifMatch: etag }),
      ).rejects.toThrow(PreconditionFailedError);
    });

    test('A conditional write does not replace a missing object', async () => {
      const missing = store.put(bucket, 'race/missing', 'x', {}, { ifMatch: 'a'.repeat(32) });
      await expect(missing).rejects.toThrow(PreconditionFailedError);
      expect(await store.head(bucket, 'race/missing')).toBeUndefined();
    });

    test('A reader that began before an object was replaced reads it whole', async () => {
      const old = 'old'.repeat(100_000);
      await store.put(bucket, 'replaced', old);
      const found = await store.get(bucket, 'replaced');
      await store.put(bucket, 'replaced', 'new');
      expect(found && (await buffer(found.body)).toString()).toBe(old);
      expect(await read('replaced')).toBe('new');
    });

    test('Thousands of objects are listed in the order of their bytes, from any key on', async () => {
      const name = (index: number) => `list/${String.fromCodePoint(0x20 + (index % 90))}${index}-é`;
      const keys = Array.from({ length: many }, (_, index) => name(index));
      for (let from = 0; from < keys.length; from += 50) {
        await Promise.all(keys.slice(from, from + 50).map((key) => store.put(bucket, key, '')));
      }
      const expected = keys
        .map((key) => Buffer.from(key))
        .sort((a, b) => Buffer.compare(a, b))
        .map((key) => key.toString());
      const listed = [];
      for await (const { key } of store.list(bucket, 'list/')) listed.push(key);
      expect(listed).toEqual(expected);
      const rest = [];
      const half = many / 2;
      for await (const { key } of store.list(bucket, 'list/', expected[half - 1])) rest.push(key);
      expect(rest).toEqual(expected.slice(half));
    });
  });
}
