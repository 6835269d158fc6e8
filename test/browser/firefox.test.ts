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

/** Covers the essentials of player.test.ts in another engine. Slow, as videos play at their own speed. */

const firefox = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => ['firefox-esr', 'firefox'].map((name) => join(folder, name)))
  .find((path) => existsSync(path));
const skipped = firefox ? '' : ' (skipped: Firefox is not installed; run ./scripts/setup --test)';

describe.skipIf(!firefox)(`the player in Firefox${skipped}`, () => {
  let fixture: Fixture;
  let browser: Browser;
  let asset: ReadyEvent;
  let context: BrowserContext;
  let page: Page;
  let consoleErrors: string[] = [];

  beforeAll(async () => {
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
    fixture.responses.length = 0;
    consoleErrors = [];
    context = await browser.createBrowserContext();
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') consoleErrors.push(message.text());
    });
    page.on('pageerror', (error) => consoleErrors.push(String(error)));
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

  /** Polls, as Firefox loads the lazy poster late on a busy machine. */
  const expectNoMedia = () =>
    expect
      .poll(() => fixture.responses.toSorted(), { timeout: 30_000 })
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

  test('The player fetches no media in Firefox at first, then plays, seeks and plays to the end', async () => {
    await visit();
    await expectNoMedia();
    await page.locator('vod-player >>> .start').click();
    await waitUntilPlayed(0.5);
    await seek(5);
    await waitUntilPlayed(5.5);
    await seek(11);
    await page.waitForFunction(() => document.querySelector('vod-player')?.video.ended);
    expect(fixture.responses.filter((line) => !/^20[06] /.test(line))).toEqual([]);
    expect(consoleErrors).toEqual([]);
  });

  test('A page in Firefox may send the headers of other players', async () => {
    await visit();
    await expectNoMedia();
    fixture.responses.length = 0;
    const status = await page.evaluate(async (address) => {
      const headers = {
        'CMCD-Request': 'mtp=25400',
        'CMCD-Object': 'br=3200,d=6000',
        'CMCD-Status': 'bs',
        'CMCD-Session': 'sid="one"',
        'X-Playback-Session-Id': 'one',
        Range: 'bytes=0-9',
      };
      return (await fetch(address, { headers })).status;
    }, `${fixture.edge.origin}/${asset.playlist}`);
    expect(status).toBe(206);
    const responses = fixture.responses.filter((line) => line.endsWith('.m3u8'));
    expect(responses).toEqual([`204 ${asset.playlist}`, `206 ${asset.playlist}`]);
  });

  test('The player works in Firefox on a page that sends no Referer', async () => {
    await visit({ 'referrer-policy': 'no-referrer' });
    await expectNoMedia();
    await page.locator('vod-player >>> .start').click();
    await waitUntilPlayed(0.5);
    expect(consoleErrors).toEqual([]);
  });
});
