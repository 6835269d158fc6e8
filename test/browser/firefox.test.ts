import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { launch } from 'puppeteer-core';
import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReadyEvent } from '../../core/model/asset.ts';
import { clip } from '../e2e/clips.ts';
import { documentedPolicy } from './documented-policy.ts';
import { openFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';

/** The essentials of player.test.ts in another engine. Slow, as videos play at their own speed. */

const firefox = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => ['firefox-esr', 'firefox'].map((name) => join(folder, name)))
  .find((path) => existsSync(path));
const why = firefox ? '' : ' (skipped: Firefox is not installed; ./scripts/setup --test does that)';

describe.skipIf(!firefox)(`In Firefox the player${why}`, () => {
  let fixture: Fixture;
  let browser: Browser;
  let asset: ReadyEvent;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[] = [];

  beforeAll(async () => {
    // Firefox speaks WebDriver BiDi by itself.
    browser = await launch({ browser: 'firefox', executablePath: firefox ?? '', headless: true });
    fixture = await openFixture();
    const file = clip({ name: 'fox.mp4', seconds: 12, size: '416x234' });
    asset = await fixture.publish(file, { title: 'In Firefox' });
    return async () => {
      await browser.close();
      await fixture.close();
    };
  });

  beforeEach(async () => {
    fixture.answered.length = 0;
    complaints = [];
    context = await browser.createBrowserContext();
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
  });
  afterEach(() => context.close());

  async function visit(headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const { origin } = fixture.edge;
    const poster = `${origin}/${asset.poster ?? ''}`;
    const all = { 'content-security-policy': documentedPolicy(origin), ...headers };
    await page.goto(fixture.site.page(fixture.embedCode(asset, { poster }), { headers: all }), {
      waitUntil: 'networkidle0',
    });
  }

  /** A poster comes when Firefox finds that it is in sight, on a busy machine after a quiet moment. */
  const noMedia = () =>
    expect
      .poll(() => fixture.answered.toSorted(), { timeout: 30_000 })
      .toEqual([`200 ${asset.playlist}`, `200 ${asset.poster ?? ''}`].toSorted());

  const waitUntilPlayed = (seconds: number) =>
    page.waitForFunction(
      (at) => {
        const video = document.querySelector('vod-player')?.video;
        return video !== undefined && video.currentTime >= at && !video.seeking;
      },
      {},
      seconds,
    );

  const seek = (seconds: number) =>
    page.evaluate((at) => {
      const { video } = document.querySelector('vod-player') ?? {};
      if (video) video.currentTime = at;
    }, seconds);

  test('asks for no media at first, then plays, seeks and plays to the end.', async () => {
    await visit();
    await noMedia();
    await page.locator('vod-player >>> .start').click();
    await waitUntilPlayed(0.5);
    await seek(5);
    await waitUntilPlayed(5.5);
    await seek(11);
    await page.waitForFunction(() => document.querySelector('vod-player')?.video.ended);
    expect(fixture.answered.filter((line) => !/^20[06] /.test(line))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('is not the only one: a page may send the headers of other players.', async () => {
    await visit();
    await noMedia();
    fixture.answered.length = 0;
    const status = await page.evaluate(async (address) => {
      const headers = {
        ...{ 'CMCD-Request': 'mtp=25400', 'CMCD-Object': 'br=3200,d=6000', 'CMCD-Status': 'bs' },
        ...{ 'CMCD-Session': 'sid="one"', 'X-Playback-Session-Id': 'one', Range: 'bytes=0-9' },
      };
      return (await fetch(address, { headers })).status;
    }, `${fixture.edge.origin}/${asset.playlist}`);
    expect(status).toBe(206);
    const answered = fixture.answered.filter((line) => line.endsWith('.m3u8'));
    expect(answered).toEqual([`204 ${asset.playlist}`, `206 ${asset.playlist}`]);
  });

  test('works on a page that sends no Referer.', async () => {
    await visit({ 'referrer-policy': 'no-referrer' });
    await noMedia();
    await page.locator('vod-player >>> .start').click();
    await waitUntilPlayed(0.5);
    expect(complaints).toEqual([]);
  });
});
