import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startSite } from '../../scripts/pages/site.ts';
import type { Edge } from '../../edge/local/server.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import { createLog } from '../../core/log.ts';
import { Machine } from '../e2e/machine.ts';
import { publishAsset } from './publish-asset.ts';
import type { PublishedAsset } from './publish-asset.ts';
import { openBrowser } from './browser.ts';

const TITLE = `<b>Bold</b> & "#2 4" <img src=x onerror="document.title='run'"> 강의`;

/** What the edge answered below /v/: `200 v/…`. */
let answered: string[] = [];
/** What the page complained of. */
let complaints: string[] = [];
let machine: Machine;
let edge: Edge;
let asset: PublishedAsset;
let browser: Browser;
let elsewhere: Server;
let page: Page;

beforeAll(async () => {
  browser = await openBrowser();
  machine = await Machine.open();
  const { backend } = machine;
  const deliveryBucket = BUCKETS.delivery;
  asset = await publishAsset(machine, TITLE);
  edge = await startSite({
    ...{ store: backend.store, deliveryBucket, port: 0, allowedSites: [] },
    listAssets: async () => [asset],
    log: Object.assign(createLog('silent'), {
      debug: ({ path, status }: { readonly path: string; readonly status: number }) => {
        if (path.startsWith('/v/')) answered.push(`${status} ${path.slice(1)}`);
      },
    }),
  });
  elsewhere = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://elsewhere');
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': searchParams.get('policy') ?? '',
    });
    response.end(`<!doctype html><title>Elsewhere</title>${searchParams.get('body') ?? ''}`);
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  return async () => {
    await browser.close();
    elsewhere.close();
    await edge.close();
    await machine.close();
  };
});

beforeEach(async () => {
  answered = [];
  complaints = [];
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
});

afterEach(() => page.context().close());

const play = () => page.getByRole('button', { name: 'play' });

describe('the page of an asset', () => {
  test('asks for no media at first, then plays to the end', async () => {
    await page.goto(`${edge.origin}/watch/${asset.assetId}`, { waitUntil: 'networkidle' });
    await expect
      .poll(() => answered.toSorted(), { timeout: 30_000 })
      .toEqual([`200 ${asset.playlist}`, `200 ${asset.poster}`].toSorted());
    await play().click();
    await page.waitForFunction(() => document.querySelector('vod-player')?.video.ended);
    expect(answered.filter((line) => !/^20[06] /.test(line))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('shows markup in a title as text', async () => {
    for (const path of ['/', `/watch/${asset.assetId}`]) {
      await page.goto(edge.origin + path);
      await page.getByText(TITLE, { exact: true }).first().waitFor();
      expect(await page.locator('b, img[src="x"]').count()).toBe(0);
    }
    expect(await page.title()).toBe(TITLE);
  });
});

/** A page of another site, with that host for this machine, on its own port. */
function elsewhereUrl(host: string, policy: string, body = ''): string {
  const { port } = elsewhere.address() as AddressInfo;
  return `http://${host}:${port}/?${new URLSearchParams({ policy, body }).toString()}`;
}

/** How the page that is open fares with an address: by fetch, and as the source of a video. */
async function tries(
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

describe('a page of another site', () => {
  // localhost and 127.0.0.1 are two sites; 127.0.0.1 on two ports is one site with two origins.
  test.each([
    ['another site', 'localhost', ''],
    ['another site that says nothing of itself', 'localhost', 'no-referrer'],
    ['another origin of the same site', '127.0.0.1', ''],
  ])('%s gets neither playlist nor segment', async (_about, host, policy) => {
    await page.goto(elsewhereUrl(host, policy));
    const refused = { fetched: 'refused', video: 'refused' };
    expect(await tries(`${edge.origin}/${asset.playlist}`)).toEqual(refused);
    expect(await tries(`${edge.origin}/${asset.firstSegment}`)).toEqual(refused);
    expect(answered.length).toBeGreaterThanOrEqual(4);
    expect(answered.filter((line) => !line.startsWith('403 '))).toEqual([]);
  });

  test('gets nothing with our own player either, which says why', async () => {
    const body = `<script type="module" src="${edge.origin}/player/vod-player.js"></script>
      <vod-player src="${edge.origin}/${asset.playlist}"></vod-player>`;
    await page.goto(elsewhereUrl('localhost', '', body));
    await play().click();
    const sentence = 'This site may not show the video. Open it on the site that it belongs to.';
    await page.getByText(sentence).waitFor();
    expect(answered.filter((line) => !line.startsWith('403 '))).toEqual([]);
  });

  test("cannot show the edge's pages in a frame", async () => {
    const body = `<iframe src="${edge.origin}/watch/${asset.assetId}"></iframe>`;
    const refusal = page.waitForEvent('console', (message) =>
      message.text().includes("frame-ancestors 'none'"),
    );
    await page.goto(elsewhereUrl('localhost', '', body));
    await refusal;
    expect(answered).toEqual([]);
  });
});

test("the edge's own page gets both in the same ways, so that the refusals mean something", async () => {
  await page.goto(`${edge.origin}/`);
  const playlist = await tries(`${edge.origin}/${asset.playlist}`);
  expect(playlist.fetched).toMatch(/^200 \d+ bytes$/);
  expect(playlist.video).toBe('loaded');
  const segment = await tries(`${edge.origin}/${asset.firstSegment}`);
  expect(segment.fetched).toMatch(/^200 \d+ bytes$/);
});
