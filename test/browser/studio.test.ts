import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page, Request } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../core/log.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';
import type { Edge } from '../../edge/local/server.ts';
import { startSite } from '../../scripts/pages/site.ts';
import { openStudio } from '../../studio/server/open-studio.ts';
import { clip } from '../e2e/clips.ts';
import { Machine } from '../e2e/machine.ts';
import { violations } from './axe.ts';
import { openBrowser } from './browser.ts';
import { APPEARANCES, STUDIO_SHOTS, openShot } from './screenshots/studio.ts';
import { exampleItems, manyItems, openStudioStub } from './studio-stub.ts';

let browser: Browser;
let directory: string;
let page: Page;
/** Errors in the page's console, among them violations of its Content-Security-Policy. */
let consoleErrors: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  directory = await mkdtemp(join(tmpdir(), 'vodstack-studio-'));
  return async () => {
    await browser.close();
    await rm(directory, { recursive: true });
  };
});

beforeEach(async () => {
  consoleErrors = [];
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') consoleErrors.push(message.text());
  });
  page.on('pageerror', (error) => consoleErrors.push(error.message));
});

afterEach(() => page.context().close());

const card = (title: string) => page.getByRole('article').filter({ hasText: title });
const upload = (name: string) => page.getByRole('listitem').filter({ hasText: name });
const dialog = () => page.getByRole('dialog');
const button = (name: string | RegExp) => page.getByRole('button', { name });
const announced = () => page.getByRole('status').allInnerTexts();

async function choose(files: string | string[], by = 'Upload videos'): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button(by).click()]);
  await chooser.setFiles(files);
}

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

/** Intercepted requests with megabytes of data are slow. */
const PATIENT = { timeout: 30_000 };

// Slow: a worker encodes and a browser plays.
describe('A studio with a worker', () => {
  let machine: Machine;
  let edge: Edge;
  let working = false;
  /** Parts that the server accepted, as `key partNumber`. */
  let accepted: string[] = [];

  /** Thrown by listings of buckets. */
  let listError: Error | undefined;

  const start = (port: number, backendName = 'this machine') => {
    const { backend, env } = machine;
    const store: ObjectStore = {
      ...backend.store,
      list: (...args) => {
        if (listError) throw listError;
        return backend.store.list(...args);
      },
    };
    return startSite({
      store,
      deliveryBucket: BUCKETS.delivery,
      port,
      allowedSites: [],
      listAssets: async () => [],
      log: createLog('silent'),
      studio: (origin) =>
        openStudio({
          backend: { ...backend, store },
          names: env,
          backendName,
          origin,
          pollMilliseconds: 200,
          log: createLog('silent'),
        }),
    });
  };

  /** Starts a worker unless one is running. */
  const work = () => {
    if (!working) machine.start();
    working = true;
  };

  beforeAll(async () => {
    machine = await Machine.open();
    edge = await start(0);
    return async () => {
      await edge.close();
      await machine.close();
    };
  });

  beforeEach(async () => {
    accepted = [];
    page.on('response', (response) => {
      const { pathname, searchParams } = new URL(response.url());
      if (pathname !== '/studio/parts' || response.status() !== 200) return;
      accepted.push(`${searchParams.get('key') ?? ''} ${searchParams.get('partNumber') ?? ''}`);
    });
    await page.goto(`${edge.origin}/studio/`);
  });

  test('A hidden page disconnects from the server, and connects again when it is visible', async () => {
    const isEvents = (request: Request) => request.url().endsWith('/studio/api/events');
    const turn = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { configurable: true, value });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await page.getByRole('main').waitFor();
    await Promise.all([page.waitForEvent('requestfailed', isEvents), turn(true)]);
    await Promise.all([page.waitForEvent('request', isEvents), turn(false)]);
  });

  test('A dropped file is first waiting, then working, then ready', async () => {
    const clipFile = clip({ name: 'Beach walk.mp4', seconds: 6, size: '320x180' });
    await page.getByRole('heading', { name: 'No videos yet' }).waitFor();
    await drop('Beach walk.mp4', await readFile(clipFile));
    await card('Beach walk').getByText('Waiting').waitFor();
    await expect.poll(announced).toContain('Beach walk.mp4 is uploaded.');

    work();
    await card('Beach walk').getByRole('progressbar').waitFor();
    await card('Beach walk').getByText('Length').waitFor({ state: 'attached' });
    await expect.poll(announced).toContain('Beach walk is ready.');
    expect(consoleErrors).toEqual([]);
  });

  test('The first progress is shown within two seconds after the end of an upload', async () => {
    work();
    const completed = page.waitForResponse(/uploads\/complete$/);
    await choose(clip({ name: 'Ten seconds.mp4', seconds: 10, size: '640x360' }));
    await completed;
    await card('Ten seconds').getByRole('progressbar').waitFor({ timeout: 2000 });
  });

  test('An open item plays, lists its renditions, and copies its embed code', async () => {
    await page.getByRole('link', { name: 'Beach walk', exact: true }).click();
    await page.locator('vod-player').getByRole('button', { name: 'play' }).first().click();
    await page.waitForFunction(() => {
      const inside = document.querySelector('vod-player');
      const video = (inside?.shadowRoot ?? inside)?.querySelector('video');
      return video && video.currentTime > 0.5;
    });
    expect(await dialog().getByRole('row').allInnerTexts()).toContainEqual(
      expect.stringMatching(/^180p 320 × 180\s.*kb\/s\s.*kb\/s\s.*B$/),
    );
    await dialog()
      .getByText('1080p, 720p, 540p, 360p, 234p left out: the picture of the file is smaller')
      .waitFor();
    await button('Copy embed code').click();
    await button('Copied embed code').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('<vod-player src=');

    await page.goBack();
    await dialog().waitFor({ state: 'hidden' });
    expect(consoleErrors).toEqual([]);
  });

  test('A changed title appears in the list and in the playlist', async () => {
    await page.getByRole('link', { name: 'Beach walk', exact: true }).click();
    const id = new URL(page.url()).hash.slice(1);
    for (const title of ['Beach #2', 'Beach walk']) {
      expect(await button('Save title').isDisabled()).toBe(true);
      await dialog().getByLabel('Title', { exact: true }).fill(title);
      await button('Save title').click();
      await dialog().getByRole('heading', { name: title, exact: true }).waitFor();
      expect((await machine.read(`v/${id}/index.m3u8`)).toString()).toContain(`VALUE="${title}"`);
    }
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    expect(consoleErrors).toEqual([]);
  });

  test('A deletion first names what is lost, and then removes it', async () => {
    await page.getByRole('link', { name: 'Beach walk', exact: true }).click();
    const id = new URL(page.url()).hash.slice(1);
    expect((await machine.published(id)).size).toBeGreaterThan(3);
    await button('Delete').click();
    await page
      .getByText(/^1 rendition \(.*\) and the uploaded file Beach walk.mp4 will be/)
      .waitFor();
    await button('Keep it').click();
    expect(await card('Beach walk').count()).toBe(1);

    await button('Delete').click();
    await page
      .getByRole('dialog', { name: /^Delete/ })
      .getByText('Delete', { exact: true })
      .click();
    await card('Beach walk').waitFor({ state: 'detached' });
    await dialog().waitFor({ state: 'detached' });
    expect((await machine.published(id)).size).toBe(0);
    expect(new URL(page.url()).hash).toBe('');
  });

  test('A file that is not a video is rejected with a reason and without a retry', async () => {
    work();
    await choose(await file('notes.mp4', 'Milk, bread and a very long list of other things.'));
    await card('notes')
      .getByText(/^Rejected The file is not a video/)
      .waitFor();
    await card('notes').getByText('unreadable_source').waitFor();
    expect(await card('notes').getByRole('button').count()).toBe(0);
  });

  test('Empty files and files that are already being uploaded are refused', async () => {
    await holdParts(1);
    const big = await file('twice.bin', randomBytes(1000));
    await choose([await file('nothing.mp4', ''), big]);
    await page.getByText('nothing.mp4 is empty: there is nothing to upload.').waitFor();
    await upload('twice.bin').waitFor();
    await choose(big);
    await page.getByText('twice.bin is already being uploaded.').waitFor();
    await button('Close this message').first().click();
    expect(await page.getByText('nothing.mp4').count()).toBe(0);
    await button('Cancel twice.bin').click();
    await button('Cancel the upload').click();
    await upload('twice.bin').waitFor({ state: 'detached' });
  });

  test('An upload resumes after a reload without sending a part twice', async () => {
    // Three parts, of which the last one is held back.
    const big = await file('long.bin', randomBytes(17 * 2 ** 20));
    await holdParts(3);
    await choose(big);
    await expect.poll(() => accepted.length, PATIENT).toBe(2);
    const [leaving] = await Promise.all([
      page.waitForEvent('dialog'),
      page.reload(),
      acceptLeaving(),
    ]);
    expect(leaving.type()).toBe('beforeunload');
    await page.unrouteAll();

    await upload('long.bin').getByText('17 MB of 18 MB · interrupted').waitFor();
    await choose(await file('other.bin', randomBytes(1000)), 'choose it again');
    await page.getByText('other.bin is not the interrupted file').waitFor();
    expect(await upload('other.bin').count()).toBe(0);
    await choose(big, 'choose it again');
    await card('long').waitFor();
    expect(accepted).toHaveLength(3);
    expect(new Set(accepted).size).toBe(3);
    await upload('long.bin').waitFor({ state: 'detached' });
  });

  test('An upload belongs to its tab until the tab is closed', async () => {
    const both = await file('tabs.bin', randomBytes(9 * 2 ** 20));
    const first = page;
    page = await first.context().newPage();
    await page.goto(`${edge.origin}/studio/`);
    const second = page;
    page = first;
    await holdParts(2);
    await choose(both);
    await expect.poll(() => accepted.length, PATIENT).toBe(1);
    page = second;
    await choose(both);
    await page.getByText('tabs.bin is an upload of another tab. Continue there.').waitFor();
    expect(await upload('tabs.bin').count()).toBe(0);

    await first.close();
    // A part that was held may get through when the tab is closed.
    await upload('tabs.bin')
      .getByText(/MB of 9.4 MB · interrupted/)
      .waitFor();
    await choose(both);
    await card('tabs').waitFor();
  });

  test('An upload can be paused, resumed and cancelled', async () => {
    await holdParts(2);
    await choose(await file('pause.bin', randomBytes(9 * 2 ** 20)));
    await expect.poll(() => accepted.length, PATIENT).toBe(1);
    const aborted = page.waitForEvent('requestfailed', isPart);
    await button('Pause pause.bin').click();
    await aborted;
    await upload('pause.bin').getByText('8.4 MB of 9.4 MB · paused').waitFor();

    const again = page.waitForRequest(isPart);
    await button('Resume pause.bin').click();
    expect(new URL((await again).url()).searchParams.get('partNumber')).toBe('2');

    await button('Cancel pause.bin').click();
    await page.getByText('The 8.4 MB that were sent will be discarded.').waitFor();
    const aborting = page.waitForResponse(/uploads\/abort$/);
    await button('Cancel the upload').click();
    expect((await aborting).status()).toBe(204);
    await upload('pause.bin').waitFor({ state: 'detached' });
    await page.unrouteAll();
    await page.reload();
    await page.getByRole('heading', { name: /videos?$/, level: 2 }).waitFor();
    expect(await upload('pause.bin').count()).toBe(0);
  });

  test('The page reports a restart of the server, and continues with its uploads', async () => {
    await holdParts(2);
    await choose(await file('restart.bin', randomBytes(9 * 2 ** 20)));
    await expect.poll(() => accepted.length, PATIENT).toBe(1);
    const { port } = new URL(edge.origin);
    await edge.close();
    await page.unrouteAll();
    await page.getByText('The studio’s server cannot be reached.').waitFor();
    await upload('restart.bin').getByText('Trying again.').waitFor();

    edge = await start(Number(port));
    await page.getByText('The studio’s server cannot be reached.').waitFor({ state: 'detached' });
    await card('restart').waitFor();
    expect(new Set(accepted).size).toBe(accepted.length);
  });

  test('An upload for one backend is never sent to another one at the same address', async () => {
    await holdParts(2);
    await choose(await file('backend.bin', randomBytes(9 * 2 ** 20)));
    await expect.poll(() => accepted.length, PATIENT).toBe(1);
    const port = Number(new URL(edge.origin).port);
    await edge.close();
    edge = await start(port, 'prod');
    await page.unrouteAll();
    const sentence =
      'This address is now the studio of prod. This page belongs to this machine: reload it.';
    await page.getByRole('status').getByText(sentence).waitFor();
    await upload('backend.bin').getByText(sentence).waitFor();
    await page.goto('about:blank');
    await page.goto(`${edge.origin}/studio/`);
    await page.getByRole('heading', { name: 'Videos of prod' }).waitFor();
    expect(await upload('backend.bin').count()).toBe(0);

    await edge.close();
    edge = await start(port);
    await page.reload();
    await upload('backend.bin').getByText('8.4 MB of 9.4 MB · interrupted').waitFor();
  });

  test('The page says why the videos cannot be listed, until they can', async () => {
    listError = new Error('The token has expired.');
    const problem = page.getByText('The videos cannot be listed: The token has expired.');
    await problem.waitFor();
    listError = undefined;
    await problem.waitFor({ state: 'detached' });
  });

  test('An upload fails if its file is changed meanwhile', async () => {
    await holdParts(2);
    const path = await file('changing.bin', randomBytes(9 * 2 ** 20));
    await choose(path);
    await expect.poll(() => accepted.length, PATIENT).toBe(1);
    await button('Pause changing.bin').click();
    await page.unrouteAll();
    await writeFile(path, randomBytes(9 * 2 ** 20));
    await button('Resume changing.bin').click();
    await upload('changing.bin').getByText('The file was changed or moved').waitFor();
  });

  test('An upload that is no longer open can be started again', async () => {
    const { promise: gone, resolve: go } = Promise.withResolvers<undefined>();
    await page.route(/\/studio\/parts\?.*partNumber=2/, async (route) => {
      await gone;
      await route.continue();
    });
    await choose(await file('expired.bin', randomBytes(9 * 2 ** 20)));
    await expect.poll(() => accepted.length, PATIENT).toBe(1);
    const { store } = machine.backend;
    const [key = ''] = accepted[0]?.split(' ') ?? [];
    const bucket = machine.env.SOURCE_BUCKET;
    for (const id of await store.openUploads(bucket, key)) await store.abortUpload(bucket, key, id);
    go(undefined);
    await upload('expired.bin').getByText('This upload is no longer open.').waitFor();
    await button('Try expired.bin again').click();
    await card('expired').waitFor();
  });

  test('Everything can be done with the keyboard alone', async () => {
    work();
    const chosen = page.waitForEvent('filechooser');
    await tabTo(button('Upload videos'));
    await page.keyboard.press('Enter');
    await (
      await chosen
    ).setFiles([await file('typed.mp4', 'Nothing that plays, but enough to be looked at.')]);
    const link = page.getByRole('link', { name: 'typed' });
    await link.waitFor();
    await tabTo(link);
    await page.keyboard.press('Enter');
    const item = page.getByRole('dialog', { name: 'typed' });
    await item.waitFor();
    await item.getByText('Rejected', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await item.waitFor({ state: 'detached' });
    expect(await link.evaluate((it) => it === document.activeElement)).toBe(true);

    await page.keyboard.press('Enter');
    await item.waitFor();
    await tabTo(item.getByRole('button', { name: 'Delete' }));
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Delete typed?' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await link.waitFor({ state: 'detached' });
    await page.waitForFunction(() => document.activeElement?.id === 'main');
  });
});

const isPart = (request: Request) => new URL(request.url()).pathname === '/studio/parts';

/** Holds back all parts from that number on. */
function holdParts(from: number): Promise<unknown> {
  return page.route(/\/studio\/parts\?/, (route) => {
    const number = Number(new URL(route.request().url()).searchParams.get('partNumber'));
    return number < from ? route.continue() : undefined;
  });
}

async function acceptLeaving(): Promise<void> {
  const question = await page.waitForEvent('dialog');
  await question.accept();
}

async function drop(name: string, content: Buffer): Promise<void> {
  const dropped = await page.evaluateHandle(
    ([fileName, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], fileName, { lastModified: 1 }));
      return transfer;
    },
    [name, content.toString('base64')] as const,
  );
  await page.dispatchEvent('main', 'dragover', { dataTransfer: dropped });
  await page.getByText('Drop to upload').waitFor();
  await page.dispatchEvent('main', 'drop', { dataTransfer: dropped });
  await page.getByText('Drop to upload').waitFor({ state: 'detached' });
}

/** Presses Tab until the target has the focus. */
async function tabTo(target: ReturnType<Page['getByRole']>): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await target.evaluate((it) => it === document.activeElement)) return;
    // After the next frame: Chromium may drop keys before the first paint of a page.
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not reach it.');
}

describe('A studio with made-up items', () => {
  test('Items in work show their progress or their last error, and can be deleted', async () => {
    await using stub = await stubOf(exampleItems());
    await page.goto(stub.url);
    const working = card('Product tour');
    await working.getByText('43 % · 2 min left').waitFor();
    expect(await working.getByRole('progressbar').getAttribute('value')).toBe('43');
    await card('All-hands').getByText('Being tried again').waitFor();
    await working.getByRole('link').click();
    await dialog().getByRole('button', { name: 'Delete' }).waitFor();
  });

  test('A stalled item can be queued again', async () => {
    const [item] = exampleItems().filter(({ state }) => state === 'working');
    if (item?.state !== 'working') throw new Error('There is no example.');
    await using stub = await stubOf([{ ...item, stalled: true }]);
    await page.goto(stub.url);
    await card(item.title).getByRole('link').click();
    await dialog().getByText('There has been no progress for ten minutes.').waitFor();
    const asked = page.waitForRequest(new RegExp(`/items/${item.id}/retry$`));
    await dialog().getByRole('button', { name: 'Queue again' }).click();
    await asked;
  });

  test('A failed item can be tried again', async () => {
    await using stub = await stubOf(exampleItems());
    await page.goto(stub.url);
    const asked = page.waitForRequest(/\/items\/\d+\/retry$/);
    await button(/^Try again 강의/).click();
    await asked;
    expect(await button(/^Try again/).count()).toBe(1);
  });

  test('The error of an upload disappears as soon as data gets through again', async () => {
    await using stub = await stubOf([]);
    await page.goto(stub.url);
    await page.route(/\/studio\/parts\?2/, (route) => route.abort());
    await choose(await file('resumes.bin', randomBytes(17 * 2 ** 20)));
    const lastError = upload('resumes.bin').getByText('Trying again.');
    await lastError.waitFor();
    await page.unrouteAll();
    // The stub reads the bytes of a second part, and never answers.
    await lastError.waitFor({ state: 'detached' });
    await upload('resumes.bin').getByText('/s ·').waitFor();
  });

  test('A batch is uploaded in the order of its names, and can be sorted by name or time', async () => {
    const lecture = (number: number) => `Lecture #${number}`;
    const items = [10, 2, 1].map((number, index) => ({
      id: String(number).padStart(20, '0'),
      title: lecture(number),
      state: 'waiting' as const,
      fileName: `${lecture(number)}.mp4`,
      uploadedAt: new Date(Date.UTC(2026, 10, 26, index)).toISOString(),
    }));
    // A card outside of the screen has no innerText (content-visibility).
    const titles = () => page.getByRole('article').getByRole('link').allTextContents();
    const sort = () => page.getByRole('combobox', { name: 'Sort videos' });
    await using stub = await stubOf(items);
    await page.goto(stub.url);
    await sort().waitFor();
    await expect.poll(titles).toEqual([1, 2, 10].map(lecture));
    await sort().selectOption('Oldest first');
    await expect.poll(titles).toEqual([10, 2, 1].map(lecture));
    await sort().selectOption('By name');
    await expect.poll(titles).toEqual([1, 2, 10].map(lecture));
    await sort().selectOption('Oldest first');
    await page.reload();
    await sort().waitFor();
    await expect.poll(titles).toEqual([10, 2, 1].map(lecture));

    const files = [10, 2, 1].map((number) =>
      file(`${lecture(number)}.bin`, randomBytes(9 * 2 ** 20)),
    );
    await choose(await Promise.all(files));
    await upload('Lecture').nth(2).waitFor();
    expect(await upload('Lecture').locator('.name').allInnerTexts()).toEqual(
      [1, 2, 10].map((number) => `${lecture(number)}.bin`),
    );
  });

  test('A ready item links to its watch page, in the list and in its dialog', async () => {
    await using stub = await stubOf(exampleItems());
    await page.goto(stub.url);
    const link = (inside: ReturnType<typeof card>) =>
      inside.getByRole('link', { name: 'Watch page' });
    const [item] = exampleItems().filter(({ state }) => state === 'ready');
    if (!item) throw new Error('There is no example.');
    expect(await link(card(item.title)).getAttribute('href')).toBe(`/watch/${item.id}`);
    await card(item.title).getByRole('link', { name: item.title, exact: true }).click();
    expect(await link(dialog()).getAttribute('href')).toBe(`/watch/${item.id}`);
  });

  test('Hundreds of items can be filtered by name and state', async () => {
    await using stub = await stubOf([...exampleItems(), ...manyItems(400)]);
    await page.goto(stub.url);
    await page.getByRole('heading', { name: '408 videos' }).waitFor();
    await page.getByRole('radio', { name: 'Rejected 1' }).check();
    expect(await page.getByRole('article').allTextContents()).toEqual([
      expect.stringContaining('unreadable_source'),
    ]);
    await page.getByRole('radio', { name: 'All 408' }).check();
    await page.getByRole('searchbox').fill('lecture 39');
    await page.getByRole('radio', { name: 'All 11' }).waitFor();
    expect(await page.getByRole('article').count()).toBe(11);
    await expect.poll(announced).toContain('11 found');
  });

  test('Long names and errors do not push other items away', async () => {
    const items = exampleItems().map((item) => ({
      ...item,
      title: `${item.title} ${'long_'.repeat(200)}`,
      ...(item.state === 'working' ? { lastError: 'Line after line. '.repeat(200) } : {}),
    }));
    await using stub = await stubOf(items);
    await page.setViewportSize({ width: 360, height: 640 });
    await page.goto(stub.url);
    await page.getByRole('article').first().waitFor();
    for (const one of await page.getByRole('article').all()) {
      expect((await one.boundingBox())?.height).toBeLessThan(400);
    }
  });

  test('The address of a deleted item says that there is no such video', async () => {
    await using stub = await stubOf(exampleItems());
    await page.goto(`${stub.url}#ffffffffffffffffffff`);
    await page.getByRole('heading', { name: 'There is no such video' }).waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await page.waitForURL(stub.url);
  });

  test.each(STUDIO_SHOTS)('axe finds no violation in $name, in any appearance', async (shot) => {
    await using stub = await stubOf(shot.items);
    for (const { name, ...settings } of APPEARANCES) {
      const context = await browser.newContext(settings);
      const shown = await context.newPage();
      await openShot(shown, stub.url, shot);
      expect(await violations(shown), name).toEqual([]);
      const wider = await shown.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      expect(wider, `${name} is wider than the screen`).toBe(false);
      await context.close();
    }
  });
});

async function stubOf(...[items]: Parameters<typeof openStudioStub>) {
  const stub = await openStudioStub(items);
  return { ...stub, [Symbol.asyncDispose]: () => stub.close() };
}
