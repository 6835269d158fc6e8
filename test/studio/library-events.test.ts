import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { Library } from '../../studio/schema.ts';
import { LibraryEvents } from '../../studio/server/library-events.ts';

const PAGES = 1500;

test('One poll of the buckets serves all open pages', async () => {
  const library: Library = {
    backendName: 'here',
    origin: 'https://a.example',
    tokens: false,
    items: [],
  };
  let polls = 0;
  const events = new LibraryEvents({
    poll: async () => ({ ...library, backendName: `poll ${(polls += 1)}` }),
    pollMilliseconds: 60_000,
    describe: String,
  });
  const pages = Array.from({ length: PAGES }, () => events.subscribe().setEncoding('utf8'));
  const next = () =>
    Promise.all(pages.map(async (page) => (await once(page, 'data'))[0] as string));
  const first = await next();
  events.pollNow();
  const second = await next();
  for (const page of pages) page.destroy();
  expect(new Set(first)).toEqual(
    new Set([`data: ${JSON.stringify({ ...library, backendName: 'poll 1' })}\n\n`]),
  );
  expect(new Set(second).size).toBe(1);
  expect(polls).toBeLessThanOrEqual(3);
});

test('A page that opens later gets the latest event, which the others do not get again', async () => {
  const library: Library = {
    backendName: 'here',
    origin: 'https://a.example',
    tokens: false,
    items: [],
  };
  const events = new LibraryEvents({
    poll: async () => library,
    pollMilliseconds: 60_000,
    describe: String,
  });
  const received: string[] = [];
  const early = events
    .subscribe()
    .setEncoding('utf8')
    .on('data', (text: string) => received.push(text));
  await once(early, 'data');
  const late = events.subscribe().setEncoding('utf8');
  await once(late, 'data');
  expect(received).toHaveLength(1);
  early.destroy();
  late.destroy();
});
