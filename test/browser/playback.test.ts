import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUCKETS } from '../../core/model/roles.ts';
import type { Edge } from '../../edge/local/server.ts';
import { startSite } from '../../scripts/pages/site.ts';
import { Machine } from '../e2e/machine.ts';
import { openBrowser } from './browser.ts';
import { publishAsset } from './publish-asset.ts';
import type { PublishedAsset } from './publish-asset.ts';
import { recordResponses } from './responses.ts';
import { Site } from './site.ts';
import { openViewer } from './viewer.ts';

const TITLE = `<b>Bold</b> & "#2 4" <img src=x onerror="document.title='run'"> 강의`;

const { responses, log } = recordResponses();
let consoleErrors: readonly string[];
let machine: Machine;
let edge: Edge;
let asset: PublishedAsset;
let browser: Browser;
let otherSite: Site;
let page: Page;

beforeAll(async () => {
  browser = await openBrowser();
  machine = await Machine.open();
  asset = await publishAsset(machine, TITLE);
  edge = await startSite({
    store: machine.backend.store,
    deliveryBucket: BUCKETS.delivery,
    port: 0,
    allowedSites: [],
    listAssets: async () => [asset],
    log,
  });
  otherSite = await Site.open();
  return async () => {
    await browser.close();
    otherSite.close();
    await edge.close();
    await machine.close();
  };
});

beforeEach(async () => {
  responses.length = 0;
  ({ page, consoleErrors } = await openViewer(browser));
});

afterEach(() => page.context().close());

const playButton = () => page.getByRole('button', { name: 'play' });

describe('the watch page', () => {
  test('The watch page fetches no media at first, then plays to the end', async () => {
    await page.goto(`${edge.origin}/watch/${asset.assetId}`, { waitUntil: 'networkidle' });
    await expect
      .poll(() => responses.toSorted(), { timeout: 30_000 })
      .toEqual([`200 ${asset.playlist}`, `200 ${asset.poster}`].toSorted());
    await playButton().click();
    await page.waitForFunction(() => document.querySelector('vod-player')?.video.ended);
    expect(responses.filter((line) => !/^20[06] /.test(line))).toEqual([]);
    expect(consoleErrors).toEqual([]);
  });

  test('The pages show markup in a title as text', async () => {
    for (const path of ['/', `/watch/${asset.assetId}`]) {
      await page.goto(edge.origin + path);
      await page.getByText(TITLE, { exact: true }).first().waitFor();
      expect(await page.locator('b, img[src="x"]').count()).toBe(0);
    }
    expect(await page.title()).toBe(TITLE);
  });
});

/** Adds a page to the other site. Returns its address under this host name of the machine. */
function addPage(host: string, policy: string, body = ''): string {
  const headers = { 'referrer-policy': policy };
  return otherSite.page(body, { headers }).replace('localhost', host);
}

/** What the current page gets from an address, by fetch and as the source of a video. */
async function loadBothWays(
  address: string,
): Promise<{ readonly fetched: string; readonly video: string }> {
  return page.evaluate(async (url) => {
    const fetched = await fetch(url).then(
      async (answer) => `${answer.status} ${(await answer.arrayBuffer()).byteLength} bytes`,
      () => 'refused',
    );
    const video = document.createElement('video');
    const loaded = new Promise<string>((resolve) => {
      video.onloadedmetadata = () => resolve('loaded');
      video.onerror = () => resolve('refused');
    });
    video.preload = 'auto';
    video.src = url;
    return { fetched, video: await loaded };
  }, address);
}

describe('pages of other sites', () => {
  // localhost and 127.0.0.1 are two sites. Two ports of 127.0.0.1 are two origins of one site.
  test.each([
    ['another site', 'localhost', ''],
    ['another site that sends no Referer', 'localhost', 'no-referrer'],
    ['another origin of the same site', '127.0.0.1', ''],
  ])('A page of %s gets neither playlist nor segment', async (_title, host, policy) => {
    await page.goto(addPage(host, policy));
    const refused = { fetched: 'refused', video: 'refused' };
    expect(await loadBothWays(`${edge.origin}/${asset.playlist}`)).toEqual(refused);
    expect(await loadBothWays(`${edge.origin}/${asset.firstSegment}`)).toEqual(refused);
    expect(responses.length).toBeGreaterThanOrEqual(4);
    expect(responses.filter((line) => !line.startsWith('403 '))).toEqual([]);
  });

  test('The player on a page of another site gets nothing and says why', async () => {
    const body = `<script type="module" src="${edge.origin}/player/vod-player.js"></script>
      <vod-player src="${edge.origin}/${asset.playlist}"></vod-player>`;
    await page.goto(addPage('localhost', '', body));
    await playButton().click();
    const sentence = 'This site may not show the video. Open it on the site that it belongs to.';
    await page.getByText(sentence).waitFor();
    expect(responses.filter((line) => !line.startsWith('403 '))).toEqual([]);
  });

  test("Another site cannot show the edge's pages in a frame", async () => {
    const body = `<iframe src="${edge.origin}/watch/${asset.assetId}"></iframe>`;
    const refusal = page.waitForEvent('console', (message) =>
      message.text().includes("frame-ancestors 'none'"),
    );
    await page.goto(addPage('localhost', '', body));
    await refusal;
    expect(responses).toEqual([]);
  });
});

test("The edge's own page gets both playlist and segment in the same ways", async () => {
  await page.goto(`${edge.origin}/`);
  const playlist = await loadBothWays(`${edge.origin}/${asset.playlist}`);
  expect(playlist.fetched).toMatch(/^200 \d+ bytes$/);
  expect(playlist.video).toBe('loaded');
  const segment = await loadBothWays(`${edge.origin}/${asset.firstSegment}`);
  expect(segment.fetched).toMatch(/^200 \d+ bytes$/);
});
