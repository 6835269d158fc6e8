import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { LibraryItem } from '../../../studio/schema.ts';
import { exampleItems, manyItems, openStudioStub } from '../studio-stub.ts';
import type { Album } from './album.ts';

/** A state of the studio's page, and how to reach it. */
export interface StudioShot {
  readonly name: string;
  readonly items: readonly LibraryItem[];
  /** The fragment of the page's address. */
  readonly hash?: string;
  readonly reach?: (page: Page) => Promise<unknown>;
}

const items = exampleItems();
const idOf = (state: LibraryItem['state']) => items.find((one) => one.state === state)?.id ?? '';

export const STUDIO_SHOTS: readonly StudioShot[] = [
  { name: 'empty', items: [] },
  { name: 'library', items },
  { name: 'many', items: manyItems(60) },
  {
    name: 'uploading',
    items,
    reach: async (page) => {
      await choose(page, 'Holiday.mov', 40_000_000);
      await choose(
        page,
        'A very long name of a file that somebody exported on a Friday.mp4',
        30_000_000,
      );
      await page.getByText('/s ·').first().waitFor();
      await page.getByRole('button', { name: 'Pause A very' }).click();
      await page.getByText('/s ·').waitFor();
    },
  },
  {
    name: 'interrupted',
    items,
    reach: async (page) => {
      await choose(page, 'Holiday.mov', 40_000_000);
      await page.getByText('/s ·').waitFor();
      await page.reload();
      await page.getByText('interrupted').waitFor();
      await choose(page, 'nothing.mp4', 0);
      await page.getByText('is empty').waitFor();
    },
  },
  {
    name: 'outage',
    items,
    reach: async (page) => {
      await page.route('**/studio/api/events', (route) => route.abort());
      await page.reload();
      await page.getByText('cannot be reached').waitFor();
    },
  },
  ...(['waiting', 'working', 'ready', 'rejected'] as const).map((state) => ({
    name: `item-${state}`,
    items,
    hash: `#${idOf(state)}`,
    reach: async (page: Page) => {
      await page.getByRole('dialog').waitFor();
      if (state === 'ready') await playButton(page).waitFor();
    },
  })),
  {
    name: 'item-sound',
    items,
    hash: `#${items.find((one) => one.state === 'ready' && !one.poster)?.id ?? ''}`,
    reach: async (page) => {
      await page.getByRole('dialog').waitFor();
      await playButton(page).waitFor();
    },
  },
  {
    name: 'item-stalled',
    items: items.map((one) => (one.state === 'working' ? { ...one, stalled: true } : one)),
    hash: `#${idOf('working')}`,
    reach: (page) => page.getByRole('button', { name: 'Queue again' }).waitFor(),
  },
  {
    name: 'delete',
    items,
    hash: `#${idOf('ready')}`,
    reach: async (page) => {
      await page.getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('heading', { name: /^Delete / }).waitFor();
    },
  },
];

export const APPEARANCES: readonly (BrowserContextOptions & { readonly name: string })[] = (
  ['light', 'dark'] as const
).flatMap((colorScheme) => [
  { name: `laptop-${colorScheme}`, colorScheme, viewport: { width: 1280, height: 800 } },
  {
    name: `phone-${colorScheme}`,
    colorScheme,
    viewport: { width: 360, height: 740 },
    deviceScaleFactor: 2,
  },
]);

/** Takes screenshots of the studio's page in each state and each appearance. */
export async function shootStudio(browser: Browser, album: Album): Promise<void> {
  for (const shot of STUDIO_SHOTS) {
    const stub = await openStudioStub(shot.items);
    for (const { name, ...settings } of APPEARANCES) {
      if (!album.wants(`studio-${shot.name}-${name}`)) continue;
      const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...settings });
      const page = await context.newPage();
      await openShot(page, stub.url, shot);
      await album.add(`studio-${shot.name}-${name}`, page);
      await context.close();
    }
    await stub.close();
  }
}

/** Opens the page and brings it into the shot's state. */
export async function openShot(page: Page, url: string, shot: StudioShot): Promise<void> {
  await page.goto(url + (shot.hash ?? ''));
  await page
    .getByRole('heading', { name: /videos?/, level: 2 })
    .or(page.getByRole('dialog'))
    .first()
    .waitFor();
  await shot.reach?.(page);
}

function playButton(page: Page) {
  return page.locator('vod-player').getByRole('button', { name: 'play' }).first();
}

/** Chooses a sparse file of that size, which takes no space on the disk. */
async function choose(page: Page, name: string, bytes: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'vodstack-shots-'));
  page.once('close', () => void rm(directory, { recursive: true }));
  const path = join(directory, name);
  await writeFile(path, '');
  await truncate(path, bytes);
  await page.locator('input[type=file]').first().setInputFiles(path);
}
