import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEdge } from '../../local/edge/server.ts';
import type { Edge } from '../../local/edge/server.ts';
import { listAssets } from '../../local/library.ts';
import { createLog } from '../../worker/log.ts';
import { clip } from '../e2e/clips.ts';
import { Machine } from '../e2e/machine.ts';

// Slow: a browser plays a real asset, made by a real worker.
let machine: Machine;
let edge: Edge;
let browser: Browser;
let page: Page;
let assetId: string;
let playlist: string;
let segment: string;
const asked: string[] = [];

beforeAll(async () => {
  machine = await Machine.open();
  machine.start();
  await machine.upload(
    clip({ name: 'played.mp4', seconds: 14, size: '320x180' }),
    '<b>bold<i> & "quoted".mp4',
  );
  const asset = await machine.ready();
  ({ assetId } = asset);
  edge = await startEdge({
    ...{ store: machine.home.store, deliveryBucket: 'delivery', port: 0, allowedSites: [] },
    listAssets: () => listAssets(machine.home.store, 'delivery'),
    log: createLog('silent'),
  });
  playlist = `${edge.origin}/${asset.playlist}`;
  segment = `${edge.origin}/v/${assetId}/${asset.version}/${asset.renditions[0]?.name ?? ''}/00000.ts`;
  browser = await launch();
  page = await browser.newPage();
  page.on('request', (request) => asked.push(request.url()));
});
afterAll(async () => {
  await browser.close();
  await edge.close();
  await machine.close();
});

async function launch(): Promise<Browser> {
  try {
    return await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
    });
  } catch (error) {
    const advice = 'Chromium could not be started. Run ./scripts/setup --test, which installs it.';
    throw new Error(advice, { cause: error });
  }
}

const media = () => asked.filter((url) => /\.(m3u8|ts)$/.test(url));

test('A page asks for nothing of the video but its poster before play is pressed.', async () => {
  await page.goto(`${edge.origin}/`, { waitUntil: 'networkidle' });
  await page.getByRole('link').first().click();
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => document.querySelector('video')?.poster !== '');
  expect(media()).toEqual([]);
  expect(asked.some((url) => url.endsWith('poster.jpg'))).toBe(true);
});

test('A title with markup is shown as text.', async () => {
  expect(await page.getByRole('heading').textContent()).toBe('<b>bold<i> & "quoted"');
});

test('The asset plays when play is pressed, seeks to the middle, and plays to its end.', async () => {
  await page.getByRole('button', { name: 'Play' }).click();
  await page.waitForFunction(() => (document.querySelector('video')?.currentTime ?? 0) > 0.5);
  expect(media().length).toBeGreaterThan(2);
  const ended = page.evaluate(async () => {
    const video = document.querySelector('video');
    if (!video) throw new Error('There is no video.');
    const happened = (name: string) =>
      new Promise((resolve) => video.addEventListener(name, resolve));
    const seeked = happened('seeked');
    video.currentTime = 10;
    await seeked;
    video.playbackRate = 2;
    await happened('ended');
    const { droppedVideoFrames: dropped, totalVideoFrames: total } =
      video.getVideoPlaybackQuality();
    return { time: video.currentTime, error: video.error?.message ?? '', total: total - dropped };
  });
  const { time, error, total } = await ended;
  expect(error).toBe('');
  expect(time).toBeCloseTo(14, 0);
  expect(total).toBeGreaterThan(30);
  expect(await page.getByRole('alert').isVisible()).toBe(false);
});

test('A page of another site gets neither the playlist nor a segment, by fetch or by <video>; the own page does.', async () => {
  const site: Server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Another</title>');
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  const { port } = site.address() as AddressInfo;
  const tryAll = (addresses: readonly string[]) =>
    Promise.all(
      addresses.map(async (address) => {
        const fetched = await fetch(address).then(
          async (response) => (await response.arrayBuffer()).byteLength,
          () => 'refused',
        );
        const played = await new Promise((resolve) => {
          const video = document.createElement('video');
          video.onerror = () => resolve('refused');
          video.onloadedmetadata = () => resolve('played');
          video.src = address;
        });
        return { fetched, played };
      }),
    );
  const other = await browser.newPage();
  try {
    const answers: number[] = [];
    other.on('response', (response) => {
      if (response.url().startsWith(`${edge.origin}/v/`)) answers.push(response.status());
    });
    // localhost is another site than 127.0.0.1.
    await other.goto(`http://localhost:${port}/`);
    expect(await other.evaluate(tryAll, [playlist, segment])).toEqual([
      { fetched: 'refused', played: 'refused' },
      { fetched: 'refused', played: 'refused' },
    ]);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.filter((status) => status !== 403)).toEqual([]);
    await other.goto(`${edge.origin}/`);
    const [own] = await other.evaluate(tryAll, [playlist]);
    expect(own?.fetched).toBeGreaterThan(100);
  } finally {
    await other.close();
    site.close();
  }
});
