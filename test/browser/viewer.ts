import type { Page } from 'playwright-core';

/** What a viewer does with the only player of a page. */

export async function press(page: Page): Promise<void> {
  await page.locator('.start').click();
}

/** Waits until the picture has come to that second. */
export async function playsTo(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction((at) => {
    const video = document.querySelector('vod-player')?.video;
    return video !== undefined && video.currentTime >= at && !video.seeking;
  }, seconds);
}

export async function pausesAt(page: Page, seconds: number): Promise<void> {
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
