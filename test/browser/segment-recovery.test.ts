import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReadyEvent } from '../../core/model/asset.ts';
import { make } from '../e2e/clips.ts';
import { violations } from './axe.ts';
import { openBrowser } from './browser.ts';
import { FaultyEdge } from './faulty-edge.ts';
import { openFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { openViewer, pauseAt, waitUntilPlayed, pressStart, seek } from './viewer.ts';

/** Segments of 6, 6, 6 and 2 s. */
const SECONDS = 20;
const INCOMPLETE = 'Part of this video is missing. Playback continues after that part.';
const WAITING = 'The connection was lost. Playback continues when it is back.';
const SIGN_IN = {
  ...{ status: 200, type: 'text/html; charset=utf-8' },
  body: `<!doctype html><title>Sign in to the network</title>${'<p>…</p>'.repeat(500)}`,
};

let fixture: Fixture;
let talk: ReadyEvent;
let sound: ReadyEvent;
let faultyEdge: FaultyEdge;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  browser = await openBrowser();
  fixture = await openFixture();
  const file = make('lossy.mp4', [
    ...['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=25:d=${SECONDS}`],
    ...['-f', 'lavfi', '-i', `sine=440:d=${SECONDS}:r=48000`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
  ]);
  talk = await fixture.publish(file, { title: 'A talk' });
  sound = await fixture.publish(file, { title: 'The sound of a talk', soundOnly: true });
  faultyEdge = await FaultyEdge.open(fixture.edge.origin);
  return async () => {
    await browser.close();
    await faultyEdge.stop();
    await fixture.close();
  };
});

beforeEach(async () => {
  faultyEdge.answered.length = 0;
  faultyEdge.instead = () => undefined;
  ({ page } = await openViewer(browser));
  await page.goto(pageOf(talk));
  await page.evaluate(() => {
    document.querySelector('vod-player')?.addEventListener('problem', (event) => {
      const { why } = (event as CustomEvent<{ readonly why: string }>).detail;
      document.title += ` ${why}`;
    });
  });
});
afterEach(() => page.context().close());

/** The address of a page that plays it through the lossy edge. */
function pageOf({ playlist }: ReadyEvent): string {
  const embedCode = fixture.embedCode(`${faultyEdge.origin}/${playlist}`, {
    'forget-position': '',
  });
  return fixture.site.page(`<main><h1>A page</h1>${embedCode}</main>`);
}

const segment = (index: number) => new RegExp(`/\\d+p/0000${index}\\.ts$`);

/** Waits until that is said to viewers, those with a screen reader too, while they have the controls. */
async function noticeAppears(sentence: string): Promise<void> {
  await page.getByRole('status').filter({ hasText: sentence }).waitFor();
  await page.locator('vod-media-control-bar').waitFor();
  await page.locator('.start').waitFor({ state: 'hidden' });
  expect(await page.getByRole('alert').filter({ hasText: /./ }).count()).toBe(0);
}

/** Plays, and gets the first two segments only: the edge does not answer for others until they are dropped. */
async function playFirst(): Promise<void> {
  faultyEdge.instead = (path) =>
    segment(2).test(path) || segment(3).test(path) ? 'held' : undefined;
  await pressStart(page);
  await waitUntilPlayed(page, 0.1);
}

/** What the page was told. */
const reportedProblems = async () => (await page.title()).replace('A page', '').trim();

describe('A segment that no rendition has', () => {
  test.each([
    ['403', { status: 403 }],
    ['404', { status: 404 }],
    ['503', { status: 503 }],
    ['200 with a page that wants a sign-in', SIGN_IN],
    ['200 with nothing', { status: 200, type: 'video/mp2t' }],
    [
      '200 with bytes that are no video',
      { status: 200, type: 'video/mp2t', body: 'x'.repeat(5000) },
    ],
  ])('is tried again, then said and left out: %s.', async (_about, answer) => {
    faultyEdge.instead = (path) => (segment(1).test(path) ? answer : undefined);
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    // A seek would begin anew what the buffer has already tried.
    await page.evaluate(() => {
      const { video } = document.querySelector('vod-player') ?? {};
      if (video) video.playbackRate = 4;
    });
    await noticeAppears(INCOMPLETE);
    await waitUntilPlayed(page, 12.5);
    expect(await reportedProblems()).toBe('incomplete');
    const asked = faultyEdge.answered.filter((line) => segment(1).test(line));
    // Three times by one address, before another rendition of it is tried.
    expect(new Set(asked.slice(0, 3)).size, asked.join('\n')).toBe(1);
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.length).toBeLessThan(10);
  });
});

describe('What is lost', () => {
  test('in one rendition comes from another, and nobody is told.', async () => {
    faultyEdge.instead = (path) => (/\/360p\/00001\.ts$/.test(path) ? { status: 404 } : undefined);
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    await pauseAt(page, 5);
    await page.evaluate(() => document.querySelector('vod-player')?.play());
    await waitUntilPlayed(page, 7);
    expect(await page.evaluate(() => document.querySelector('vod-player')?.video.videoHeight)).toBe(
      234,
    );
    expect(await reportedProblems()).toBe('');
  });

  test('at the beginning is left out.', async () => {
    faultyEdge.instead = (path) => (segment(0).test(path) ? { status: 404 } : undefined);
    await pressStart(page);
    await waitUntilPlayed(page, 6.5);
    expect(await reportedProblems()).toBe('incomplete');
  });

  test('at the end ends the video before it.', async () => {
    faultyEdge.instead = (path) => (segment(3).test(path) ? { status: 404 } : undefined);
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    await seek(page, 17);
    await page.waitForFunction(() => document.querySelector('vod-player')?.video.ended);
    expect(await reportedProblems()).toBe('incomplete');
  });

  test('of the sound is left out, too.', async () => {
    const sound = /\/audio-0\/00001\.\w+$/;
    faultyEdge.instead = (path) => (sound.test(path) ? { status: 404 } : undefined);
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    await seek(page, 5);
    await noticeAppears(INCOMPLETE);
    await waitUntilPlayed(page, 12.5);
    expect(faultyEdge.answered.some((line) => sound.test(line))).toBe(true);
  });

  test('is jumped over where the viewer seeks into it, and what is before it plays again.', async () => {
    faultyEdge.instead = (path) =>
      segment(1).test(path) || segment(2).test(path) ? { status: 404 } : undefined;
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    await seek(page, 8);
    await noticeAppears(INCOMPLETE);
    await waitUntilPlayed(page, 18.2);
    await seek(page, 2);
    await page.waitForFunction(() => {
      const { currentTime = NaN, seeking } = document.querySelector('vod-player')?.video ?? {};
      return currentTime > 2.3 && currentTime < 6 && !seeking;
    });
  });

  test('with the whole video is said as before: it is not there any more.', async () => {
    await playFirst();
    faultyEdge.instead = () => ({ status: 403 });
    faultyEdge.abortHanging();
    await seek(page, 15);
    await page
      .getByRole('alert')
      .filter({ hasText: 'This video is no longer available.' })
      .waitFor();
  });

  test('by an address that has expired is said to be that.', async () => {
    await playFirst();
    faultyEdge.instead = () => ({ status: 410 });
    faultyEdge.abortHanging();
    await seek(page, 15);
    await page.getByRole('alert').filter({ hasText: 'has expired' }).waitFor();
  });
});

describe('Without a connection', () => {
  test('the video waits for one, says so, and goes on by itself: the server is gone.', async () => {
    await playFirst();
    await faultyEdge.stop();
    await seek(page, 15);
    await noticeAppears(WAITING);
    faultyEdge.instead = () => undefined;
    await faultyEdge.restart();
    await waitUntilPlayed(page, 15.5);
    expect(await page.locator('.notice').textContent()).toBe('');
    expect(await reportedProblems()).toBe('waiting');
  });

  test('the video waits for one, says so, and goes on by itself: the browser is offline.', async () => {
    await playFirst();
    await page.context().setOffline(true);
    faultyEdge.abortHanging();
    await seek(page, 15);
    await noticeAppears(WAITING);
    faultyEdge.instead = () => undefined;
    await page.context().setOffline(false);
    await waitUntilPlayed(page, 15.5);
    expect(await page.locator('.notice').textContent()).toBe('');
  });

  test('but with a page that wants a sign-in, it waits for that, too.', async () => {
    await playFirst();
    faultyEdge.instead = () => SIGN_IN;
    faultyEdge.abortHanging();
    await seek(page, 15);
    await noticeAppears(WAITING);
    faultyEdge.instead = () => undefined;
    await waitUntilPlayed(page, 15.5);
  });
});

describe('While a part is missing, axe finds nothing wrong', () => {
  test.each([640, 240, 160])('in a player that is %d px wide.', async (width) => {
    faultyEdge.instead = (path) => (segment(1).test(path) ? { status: 404 } : undefined);
    await page.addStyleTag({ content: `vod-player { inline-size: ${width}px }` });
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    await seek(page, 5);
    await noticeAppears(INCOMPLETE);
    expect(await violations(page)).toEqual([]);
  });

  test('in the low player of sound alone.', async () => {
    await page.goto(pageOf(sound));
    faultyEdge.instead = (path) =>
      /\/audio-0\/00001\.\w+$/.test(path) ? { status: 404 } : undefined;
    await page.locator('.play').click();
    await waitUntilPlayed(page, 0.1);
    await seek(page, 5);
    await noticeAppears(INCOMPLETE);
    expect(await violations(page)).toEqual([]);
  });
});
