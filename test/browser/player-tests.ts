import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach } from 'vitest';
import { openBrowser } from './browser.ts';
import { openFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import type { PageOptions } from './site.ts';
import { openViewer, pressStart, visitSite, waitUntilPlayed } from './viewer.ts';

/**
 * The set-up of tests of the player in Chromium: a fixture for each test file, and a new viewer for each test.
 * Vitest loads this module once for each test file.
 */

export let fixture: Fixture;
export let browser: Browser;
export let page: Page;
export let consoleErrors: readonly string[];

/** Call it once, outside any `describe`. `publish` publishes the videos of the test file. */
export function setUpPlayerTests(publish: () => Promise<void>): void {
  beforeAll(async () => {
    browser = await openBrowser();
    fixture = await openFixture();
    await publish();
    return async () => {
      await browser.close();
      await fixture.close();
    };
  });
  beforeEach(async () => {
    fixture.responses.length = 0;
    ({ page, consoleErrors } = await openViewer(browser));
  });
  afterEach(() => page.context().close());
}

/** Opens a page of the allowed site in the viewer of the current test. */
export function visit(body: string, options?: PageOptions): Promise<void> {
  return visitSite(page, fixture, body, options);
}

/** The position in seconds. */
export function currentTime(): Promise<number> {
  return page.evaluate(() => document.querySelector('vod-player')?.video.currentTime ?? NaN);
}

/** Opens a page of the allowed site and plays the start of its player's video. */
export async function visitAndPlay(body: string, options?: PageOptions): Promise<void> {
  await visit(body, options);
  await pressStart(page);
  await waitUntilPlayed(page, 0.2);
}
