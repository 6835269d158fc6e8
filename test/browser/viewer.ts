import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { documentedPolicy } from './documented-policy.ts';
import type { PageOptions } from './site.ts';
import type { Fixture } from './fixture.ts';

/** A viewer who has seen nothing yet, and has a page to open. */
export interface Viewer {
  readonly page: Page;
  /** Errors and warnings in the console of the page. */
  readonly complaints: readonly string[];
}

export async function openViewer(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Viewer> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return { page, complaints };
}

/** Opens a page of the site that may show the videos, under the policy that docs/player.md has. */
export async function visit(
  page: Page,
  { edge, site }: Fixture,
  body: string,
  options: PageOptions = {},
): Promise<void> {
  const headers = { 'content-security-policy': documentedPolicy(edge.origin), ...options.headers };
  await page.goto(site.page(body, { ...options, headers }), { waitUntil: 'networkidle' });
}

// What a viewer does with the only player of a page.

export async function pressStart(page: Page): Promise<void> {
  await page.locator('.start').click();
}

/** Waits until the picture has come to that second. */
export async function waitUntilPlayed(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction((at) => {
    const video = document.querySelector('vod-player')?.video;
    return video !== undefined && video.currentTime >= at && !video.seeking;
  }, seconds);
}

/** Seconds: the first place that was played since the page was opened. */
export function firstPlayedSecond(page: Page): Promise<number> {
  return page.evaluate(() => document.querySelector('vod-player')?.video.played.start(0) ?? NaN);
}

export async function seek(page: Page, seconds: number): Promise<void> {
  await page.evaluate((at) => {
    const { video } = document.querySelector('vod-player') ?? {};
    if (video) video.currentTime = at;
  }, seconds);
}

export async function pauseAt(page: Page, seconds: number): Promise<void> {
  await page.evaluate(async (at) => {
    const { video } = document.querySelector('vod-player') ?? {};
    if (!video) return;
    video.pause();
    const arrived = new Promise((resolve) => {
      video.addEventListener('seeked', resolve, { once: true });
    });
    video.currentTime = at;
    await arrived;
  }, seconds);
}
