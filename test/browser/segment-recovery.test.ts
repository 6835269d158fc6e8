import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReadyEvent } from '../../core/model/asset.ts';
import { make } from '../e2e/clips.ts';
import { violations } from './axe.ts';
import { FaultyEdge } from './faulty-edge.ts';
import { fixture, page, setUpPlayerTests } from './player-tests.ts';
import { pauseAt, pressStart, seek, waitUntilPlayed } from './viewer.ts';

/** Segments of 6, 6, 6 and 2 s. */
const SECONDS = 20;
const INCOMPLETE = 'Part of this video is missing. Playback continues after that part.';
const WAITING = 'The connection was lost. Playback continues when it is back.';
const SIGN_IN = {
  status: 200,
  type: 'text/html; charset=utf-8',
  body: `<!doctype html><title>Sign in to the network</title>${'<p>…</p>'.repeat(500)}`,
};

let talk: ReadyEvent;
let sound: ReadyEvent;
let faultyEdge: FaultyEdge;

setUpPlayerTests(async () => {
  const file = make('lossy.mp4', [
    ...['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=25:d=${SECONDS}`],
    ...['-f', 'lavfi', '-i', `sine=440:d=${SECONDS}:r=48000`],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'],
  ]);
  talk = await fixture.publish(file, { title: 'A talk' });
  sound = await fixture.publish(file, { title: 'The sound of a talk', soundOnly: true });
});

beforeAll(async () => {
  faultyEdge = await FaultyEdge.open(fixture.edge.origin);
  return () => faultyEdge.stop();
});

beforeEach(async () => {
  faultyEdge.responses.length = 0;
  faultyEdge.override = () => undefined;
  await page.goto(pageOf(talk));
  await page.evaluate(() => {
    document.querySelector('vod-player')?.addEventListener('problem', (event) => {
      const { why } = (event as CustomEvent<{ readonly why: string }>).detail;
      document.title += ` ${why}`;
    });
  });
});

/** The address of a page that plays the asset through the faulty edge. */
function pageOf({ playlist }: ReadyEvent): string {
  const embedCode = fixture.embedCode(`${faultyEdge.origin}/${playlist}`, {
    'forget-position': '',
  });
  return fixture.site.page(`<main><h1>A page</h1>${embedCode}</main>`);
}

const segment = (index: number) => new RegExp(`/\\d+p/0000${index}\\.ts$`);

/** Waits until the notice is shown, also to screen readers, while the controls are visible. */
async function noticeAppears(sentence: string): Promise<void> {
  await page.getByRole('status').filter({ hasText: sentence }).waitFor();
  await page.locator('vod-media-control-bar').waitFor();
  await page.locator('.start').waitFor({ state: 'hidden' });
  expect(await page.getByRole('alert').filter({ hasText: /./ }).count()).toBe(0);
}

/** Plays the first two segments. Requests for the others hang until they are aborted. */
async function playFirstSegments(): Promise<void> {
  faultyEdge.override = (path) =>
    segment(2).test(path) || segment(3).test(path) ? 'hang' : undefined;
  await pressStart(page);
  await waitUntilPlayed(page, 0.1);
}

/** The codes of the `problem` events. */
const reportedProblems = async () => (await page.title()).replace('A page', '').trim();

describe('a missing segment', () => {
  test.each([
    ['403', { status: 403 }],
    ['404', { status: 404 }],
    ['503', { status: 503 }],
    ['200 with a sign-in page', SIGN_IN],
    ['200 with an empty body', { status: 200, type: 'video/mp2t' }],
    ['200 with invalid data', { status: 200, type: 'video/mp2t', body: 'x'.repeat(5000) }],
  ])(
    'A segment that no rendition has is retried, reported and skipped: %s',
    async (_title, answer) => {
      faultyEdge.override = (path) => (segment(1).test(path) ? answer : undefined);
      await pressStart(page);
      await waitUntilPlayed(page, 0.1);
      // Does not seek, as that would repeat requests that have failed already.
      await page.evaluate(() => {
        const { video } = document.querySelector('vod-player') ?? {};
        if (video) video.playbackRate = 4;
      });
      await noticeAppears(INCOMPLETE);
      await waitUntilPlayed(page, 12.5);
      expect(await reportedProblems()).toBe('incomplete');
      const requests = faultyEdge.responses.filter((line) => segment(1).test(line));
      // The first three requests are for the same rendition.
      expect(new Set(requests.slice(0, 3)).size, requests.join('\n')).toBe(1);
      expect(requests.length).toBeGreaterThan(2);
      expect(requests.length).toBeLessThan(10);
    },
  );
});

describe('missing parts', () => {
  test('A segment that one rendition lacks comes from another without a notice', async () => {
    faultyEdge.override = (path) => (/\/360p\/00001\.ts$/.test(path) ? { status: 404 } : undefined);
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

  test('A missing first segment is skipped', async () => {
    faultyEdge.override = (path) => (segment(0).test(path) ? { status: 404 } : undefined);
    await pressStart(page);
    await waitUntilPlayed(page, 6.5);
    expect(await reportedProblems()).toBe('incomplete');
  });

  test('A missing last segment ends the video early', async () => {
    faultyEdge.override = (path) => (segment(3).test(path) ? { status: 404 } : undefined);
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    await seek(page, 17);
    await page.waitForFunction(() => document.querySelector('vod-player')?.video.ended);
    expect(await reportedProblems()).toBe('incomplete');
  });

  test('A missing audio segment is skipped', async () => {
    const sound = /\/audio-0\/00001\.\w+$/;
    faultyEdge.override = (path) => (sound.test(path) ? { status: 404 } : undefined);
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    await seek(page, 5);
    await noticeAppears(INCOMPLETE);
    await waitUntilPlayed(page, 12.5);
    expect(faultyEdge.responses.some((line) => sound.test(line))).toBe(true);
  });

  test('Seeking into a missing part skips it, and the part before it can be played again', async () => {
    faultyEdge.override = (path) =>
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

  test('A video that disappears during playback is reported as missing', async () => {
    await playFirstSegments();
    faultyEdge.override = () => ({ status: 403 });
    faultyEdge.abortHanging();
    await seek(page, 15);
    await page
      .getByRole('alert')
      .filter({ hasText: 'This video is no longer available.' })
      .waitFor();
  });

  test('An address that expires during playback is reported as expired', async () => {
    await playFirstSegments();
    faultyEdge.override = () => ({ status: 410 });
    faultyEdge.abortHanging();
    await seek(page, 15);
    await page.getByRole('alert').filter({ hasText: 'has expired' }).waitFor();
  });
});

describe('a lost connection', () => {
  test('Playback waits while the server is down and then continues by itself', async () => {
    await playFirstSegments();
    await faultyEdge.stop();
    await seek(page, 15);
    await noticeAppears(WAITING);
    faultyEdge.override = () => undefined;
    await faultyEdge.restart();
    await waitUntilPlayed(page, 15.5);
    expect(await page.locator('.notice').textContent()).toBe('');
    expect(await reportedProblems()).toBe('waiting');
  });

  test('Playback waits while the browser is offline and then continues by itself', async () => {
    await playFirstSegments();
    await page.context().setOffline(true);
    faultyEdge.abortHanging();
    await seek(page, 15);
    await noticeAppears(WAITING);
    faultyEdge.override = () => undefined;
    await page.context().setOffline(false);
    await waitUntilPlayed(page, 15.5);
    expect(await page.locator('.notice').textContent()).toBe('');
  });

  test('Playback waits while the network answers with a sign-in page', async () => {
    await playFirstSegments();
    faultyEdge.override = () => SIGN_IN;
    faultyEdge.abortHanging();
    await seek(page, 15);
    await noticeAppears(WAITING);
    faultyEdge.override = () => undefined;
    await waitUntilPlayed(page, 15.5);
  });
});

describe('accessibility', () => {
  test.each([640, 240, 160])(
    'axe finds no violations in a notice of a player %d px wide',
    async (width) => {
      faultyEdge.override = (path) => (segment(1).test(path) ? { status: 404 } : undefined);
      await page.addStyleTag({ content: `vod-player { inline-size: ${width}px }` });
      await pressStart(page);
      await waitUntilPlayed(page, 0.1);
      await seek(page, 5);
      await noticeAppears(INCOMPLETE);
      expect(await violations(page)).toEqual([]);
    },
  );

  test('axe finds no violations in a notice of a player without video', async () => {
    await page.goto(pageOf(sound));
    faultyEdge.override = (path) =>
      /\/audio-0\/00001\.\w+$/.test(path) ? { status: 404 } : undefined;
    await page.locator('.play').click();
    await waitUntilPlayed(page, 0.1);
    await seek(page, 5);
    await noticeAppears(INCOMPLETE);
    expect(await violations(page)).toEqual([]);
  });
});
