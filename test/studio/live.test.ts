import { once } from 'node:events';
import { expect, test } from 'vitest';
import { Live } from '../../studio/server/live.ts';
import type { Library } from '../../studio/schema.ts';

const PAGES = 1500;

test('However many pages are open, the buckets are looked at once for all of them.', async () => {
  const library: Library = {
    backendName: 'here',
    origin: 'https://a.example',
    tokens: false,
    items: [],
  };
  let looks = 0;
  const live = new Live({
    look: async () => ({ ...library, backendName: `look ${(looks += 1)}` }),
    pollMilliseconds: 60_000,
    sentenceFor: String,
  });
  const pages = Array.from({ length: PAGES }, () => live.open().setEncoding('utf8'));
  const next = () =>
    Promise.all(pages.map(async (page) => (await once(page, 'data'))[0] as string));
  const first = await next();
  live.hurry();
  const second = await next();
  for (const page of pages) page.destroy();
  expect(new Set(first)).toEqual(
    new Set([`data: ${JSON.stringify({ ...library, backendName: 'look 1' })}\n\n`]),
  );
  expect(new Set(second).size).toBe(1);
  expect(looks).toBeLessThanOrEqual(3);
});

test('A page that comes later is told what the others know, and they are not told again.', async () => {
  const library: Library = {
    backendName: 'here',
    origin: 'https://a.example',
    tokens: false,
    items: [],
  };
  const live = new Live({
    look: async () => library,
    pollMilliseconds: 60_000,
    sentenceFor: String,
  });
  const told: string[] = [];
  const early = live
    .open()
    .setEncoding('utf8')
    .on('data', (text: string) => told.push(text));
  await once(early, 'data');
  const late = live.open().setEncoding('utf8');
  await once(late, 'data');
  expect(told).toHaveLength(1);
  early.destroy();
  late.destroy();
});
