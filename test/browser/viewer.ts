import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { documentedPolicy } from './documented-policy.ts';
import type { Fixture } from './fixture.ts';
import type { PageOptions } from './site.ts';

/** A page in a new browser profile. */
export interface Viewer {
  readonly page: Page;
  /** The errors and warnings in the page's console. */
  readonly consoleErrors: readonly string[];
}

export async function openViewer(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Viewer> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const consoleErrors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') {
      consoleErrors.push(message.text());
    }
  });
  page.on('pageerror', (error) => consoleErrors.push(error.message));
  return { page, consoleErrors };
}

/** Opens a page of the allowed site, under the policy of docs/player.md. */
export async function visitSite(
  page: Page,
  { edge, site }: Fixture,
  body: string,
  options: PageOptions = {},
): Promise<void> {
  const headers = { 'content-security-policy': documentedPolicy(edge.origin), ...options.headers };
  await page.goto(site.page(body, { ...options, headers }), { waitUntil: 'networkidle' });
}

// What a viewer does with the first player of a page.

export async function pressStart(page: Page): Promise<void> {
  await page.locator('.start').click();
}

/** Waits until playback has reached the position. */
export async function waitUntilPlayed(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction((at) => {
    const video = document.querySelector('vod-player')?.video;
    return video !== undefined && video.currentTime >= at && !video.seeking;
  }, seconds);
}

/** The position in seconds at which playback started since the page was opened. */
export function firstPlayedSecond(page: Page): Promise<number> {
  return page.evaluate(() => document.querySelector('vod-player')?.video.played.start(0) ?? NaN);
}

export async function seek(page: Page, seconds: number): Promise<void> {
  await page.evaluate((at) => {
    const { video } = document.querySelector('vod-player') ?? {};
    if (video) video.currentTime = at;
  }, seconds);
}

/** Pauses, seeks, and waits until the seek has finished. */
export async function pauseAt(page: Page, seconds: number): Promise<void> {
  await page.evaluate(async (at) => {
    const { video } = document.querySelector('vod-player') ?? {};
    if (!video) return;
    video.pause();
    const seeked = new Promise((resolve) => {
      video.addEventListener('seeked', resolve, { once: true });
    });
    video.currentTime = at;
    await seeked;
  }, seconds);
}
