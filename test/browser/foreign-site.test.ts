import type Hls from 'hls.js';
import type { Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../core/log.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import type { AccessMode } from '../../edge/behaviours.ts';
import type { Edge } from '../../edge/local/server.ts';
import { signAddress } from '../../edge/playback-token.ts';
import { startSite } from '../../scripts/pages/site.ts';
import { Machine } from '../e2e/machine.ts';
import { openCdn } from '../edge/cdn.ts';
import type { Cdn } from '../edge/cdn.ts';
import { startDirectOrigin } from '../edge/direct-origin.ts';
import { openHttpsSites } from './https-sites.ts';
import type { HttpsSites } from './https-sites.ts';
import { publishAsset } from './publish-asset.ts';
import type { PublishedAsset } from './publish-asset.ts';

const SITE = 'https://site.example';
const SUBDOMAIN = 'https://talks.of.wild.example';
const EVIL = 'https://evil.example';
const KEY = 'the key';
const MODES: readonly AccessMode[] = ['cdn-only', 'public-read-via-cdn', 'public-read'];
const originSecret = 'only the CDN knows it';
const log = createLog('silent');

/** A stage for each access mode, with and without tokens. */
const STAGES = MODES.flatMap((accessMode) =>
  [false, true].map((tokens) => ({
    accessMode,
    tokens,
    host: `${tokens ? 'tokens' : 'sites'}.${accessMode}.example`,
  })),
);
/** A CDN on the domain of the site. */
const SAME_SITE = 'cdn.site.example';

let machine: Machine;
let asset: PublishedAsset;
let sites: HttpsSites;
let page: Page;

beforeAll(async () => {
  machine = await Machine.open();
  asset = await publishAsset(machine, 'Played');
  const cdn = (accessMode: AccessMode, tokens: boolean): Cdn =>
    openCdn(
      {
        allowedSites: [SITE, 'https://*.wild.example'],
        allowNoContext: false,
        tokenKeys: tokens ? [KEY] : [],
      },
      bucket(accessMode),
    );
  const cdns = STAGES.map(
    ({ host, accessMode, tokens }) => [host, cdn(accessMode, tokens)] as const,
  );
  sites = await openHttpsSites(new Map([...cdns, [SAME_SITE, cdn('cdn-only', false)]]));
  return async () => {
    await sites.close();
    await machine.close();
  };
});

beforeEach(async () => {
  sites.responses.length = 0;
  page = await (await sites.browser.newContext()).newPage();
});

afterEach(() => page.context().close());

function bucket(accessMode: AccessMode) {
  const { store } = machine.backend;
  return { store, name: BUCKETS.delivery, accessMode, originSecret };
}

/** The addresses of the asset's pointer, a segment and the poster on a CDN, with a token if it demands one. */
function addresses(host: string, tokens: boolean, seconds = 3600, now = new Date()) {
  const at = (path: string) => {
    const plain = `https://${host}/${path}`;
    return tokens ? signAddress(plain, KEY, seconds, now) : plain;
  };
  return {
    playlist: at(asset.playlist),
    segment: at(asset.firstSegment),
    poster: at(asset.poster),
  };
}

type Addresses = ReturnType<typeof addresses>;

const open = (site: string, policy = '') =>
  page.goto(`${site}/?${new URLSearchParams({ policy }).toString()}`);

/** Loads the addresses from the current page in every way that a page can. */
async function loadInEveryWay(all: Addresses) {
  return page.evaluate(async ({ playlist, segment, poster }) => {
    const fetched = (address: string) =>
      fetch(address).then(
        async (answer) => `${answer.status}, ${(await answer.arrayBuffer()).byteLength > 0}`,
        () => 'refused',
      );
    const loaded = (element: HTMLImageElement | HTMLVideoElement, event: string, address: string) =>
      new Promise<string>((resolve) => {
        element.addEventListener(event, () => resolve('loaded'));
        element.addEventListener('error', () => resolve('refused'));
        element.src = address;
      });
    const video = (address: string) => {
      const element = document.createElement('video');
      element.preload = 'auto';
      return loaded(element, 'loadeddata', address);
    };
    const played = new Promise<string>((resolve) => {
      const Player = (globalThis as unknown as { readonly Hls: typeof Hls }).Hls;
      const element = document.body.appendChild(document.createElement('video'));
      const hls = new Player();
      hls.on(Player.Events.FRAG_BUFFERED, () => resolve('buffered'));
      hls.on(Player.Events.ERROR, (_event, { fatal, response }) => {
        if (fatal) resolve(`refused with ${response?.code ?? 'nothing'}`);
      });
      hls.loadSource(playlist);
      hls.attachMedia(element);
    });
    return {
      fetchedPlaylist: await fetched(playlist),
      fetchedSegment: await fetched(segment),
      image: await loaded(document.createElement('img'), 'load', poster),
      videoOfPlaylist: await video(playlist),
      videoOfSegment: await video(segment),
      hls: await played,
    };
  }, all);
}

/** Opens an address in a frame, in which Chromium would play a playlist by itself. */
async function openInFrame(address: string): Promise<void> {
  await page.evaluate(async (source) => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    await new Promise((resolve) => {
      frame.addEventListener('load', resolve);
      frame.src = source;
    });
  }, address);
}

const REFUSED = {
  fetchedPlaylist: 'refused',
  fetchedSegment: 'refused',
  image: 'refused',
  videoOfPlaylist: 'refused',
  videoOfSegment: 'refused',
  // The status that hls.js sees if it may not read the response.
  hls: 'refused with 0',
};

const SERVED = {
  fetchedPlaylist: '200, true',
  fetchedSegment: '200, true',
  image: 'loaded',
  videoOfPlaylist: 'loaded',
  hls: 'buffered',
};

describe.each(STAGES)('access mode $accessMode, tokens: $tokens', ({ host, tokens }) => {
  test.each(['', 'no-referrer', 'unsafe-url'])(
    'A foreign site with the referrer policy "%s" gets not a byte in any way',
    async (policy) => {
      await open(EVIL, policy);
      const all = addresses(host, tokens);
      expect(await loadInEveryWay(all)).toEqual(REFUSED);
      await openInFrame(all.playlist);
      expect(sites.responses.length).toBeGreaterThanOrEqual(7);
      expect(sites.responses.filter(({ status }) => status !== 403)).toEqual([]);
    },
  );

  test.each([SITE, SUBDOMAIN])('The allowed site %s gets the video in every way', async (site) => {
    await open(site);
    expect(await loadInEveryWay(addresses(host, tokens))).toMatchObject(SERVED);
  });

  test('An allowed site without Referer gets the video by CORS only', async () => {
    await open(SITE, 'no-referrer');
    expect(await loadInEveryWay(addresses(host, tokens))).toMatchObject({
      ...SERVED,
      image: 'refused',
      videoOfPlaylist: 'refused',
    });
  });

  test('Neither a foreign site nor elements without CORS poison the cache for an allowed site', async () => {
    const { poster, segment } = addresses(host, tokens);
    await open(EVIL);
    await loadInEveryWay(addresses(host, tokens));
    await open(SITE);
    const seen = await page.evaluate(
      async ([image, file]) => {
        const element = new Image();
        element.src = image;
        await element.decode();
        const answers = [await fetch(image), await fetch(file), await fetch(file)];
        return answers.map(({ status, type }) => `${status} ${type}`);
      },
      [poster, segment] as const,
    );
    expect(seen).toEqual(['200 cors', '200 cors', '200 cors']);
    const served = sites.responses.filter(({ status }) => status !== 403);
    expect(served.length).toBeGreaterThan(0);
    for (const { cache } of served) expect(cache).toMatch(/^(Miss|Hit) from cloudfront$/);
  });
});

describe('another player', () => {
  const host = 'sites.cdn-only.example';

  test('A player that sends statistics headers plays after one preflight for each address', async () => {
    await open(SITE);
    const { playlist, segment } = addresses(host, false);
    const played = await page.evaluate(async (address) => {
      const Player = (globalThis as unknown as { readonly Hls: typeof Hls }).Hls;
      const element = document.body.appendChild(document.createElement('video'));
      const hls = new Player({
        cmcd: { sessionId: 'one', contentId: 'a video', useHeaders: true },
        xhrSetup: (request) => request.setRequestHeader('X-Playback-Session-Id', 'one'),
      });
      return new Promise<string>((resolve) => {
        hls.on(Player.Events.FRAG_BUFFERED, () => resolve('buffered'));
        hls.on(Player.Events.ERROR, (_event, { details }) => resolve(details));
        hls.loadSource(address);
        hls.attachMedia(element);
      });
    }, playlist);
    expect(played).toBe('buffered');

    sites.responses.length = 0;
    const headers = {
      'CMCD-Request': 'mtp=25400',
      'CMCD-Object': 'br=3200,d=6000',
      'CMCD-Status': 'bs',
      'CMCD-Session': 'sid="one"',
      'X-Playback-Session-Id': 'one',
      Range: 'bytes=0-9',
    };
    const statuses = await page.evaluate(
      async ([address, sent]) => {
        const answers = [];
        for (const _ of [1, 2, 3]) answers.push(await fetch(`${address}?a`, { headers: sent }));
        return answers.map(({ status }) => status);
      },
      [segment, headers] as const,
    );
    expect(statuses).toEqual([206, 206, 206]);
    expect(sites.responses.map(({ status }) => status)).toEqual([204, 206, 206, 206]);
  });
});

describe('a CDN on the domain of the site', () => {
  test('Pages on the domain of the CDN get the video in every way, even without Referer', async () => {
    await open(SITE, 'no-referrer');
    expect(await loadInEveryWay(addresses(SAME_SITE, false))).toMatchObject(SERVED);
  });
});

describe('tokens', () => {
  const host = 'tokens.cdn-only.example';

  test('A page of an allowed site and hls.js can read that a token has expired', async () => {
    const old = addresses(host, true, 60, new Date(Date.now() - 120_000));
    await open(SITE);
    const answer = await page.evaluate(async (address) => {
      const response = await fetch(address);
      return [response.status, await response.text()];
    }, old.playlist);
    expect(answer).toEqual([410, 'The address of this video has expired.\n']);
    expect((await loadInEveryWay(old)).hls).toBe('refused with 410');
  });

  test('A missing token and the token of another asset are refused with a reason', async () => {
    const { playlist } = addresses(host, true);
    const other = playlist.replace(asset.assetId, '0'.repeat(20));
    await open(SITE);
    const answers = await page.evaluate(
      (all) => Promise.all(all.map(async (address) => (await fetch(address)).text())),
      [`https://${host}/${asset.playlist}`, other],
    );
    expect(answers).toEqual([
      'This video is fetched with a token that its address lacks.\n',
      'The token in the address of this video is not right.\n',
    ]);
  });
});

describe("the bucket's own address", () => {
  test.each<[mode: AccessMode, video: string]>([
    ['cdn-only', 'refused'],
    ['public-read-via-cdn', 'refused'],
    ['public-read', 'loaded'],
  ])(
    "With %s, a video from the bucket's own address on a foreign site is %s",
    async (mode, expected) => {
      const direct = await startDirectOrigin(bucket(mode), log);
      const at = (path: string) => `${direct.origin}/${path}`;
      await open(EVIL);
      const { image, videoOfPlaylist } = await loadInEveryWay({
        playlist: at(asset.playlist),
        segment: at(asset.firstSegment),
        poster: at(asset.poster),
      });
      expect([image, videoOfPlaylist]).toEqual([expected, expected]);
      await direct.close();
    },
  );
});

describe('the watch page', () => {
  let edge: Edge;
  const paths: string[] = [];
  beforeAll(async () => {
    edge = await startSite({
      store: machine.backend.store,
      deliveryBucket: BUCKETS.delivery,
      port: 0,
      allowedSites: [SITE],
      listAssets: async () => [asset],
      log: Object.assign(createLog('silent'), {
        debug: ({ path }: { readonly path: string }) => void paths.push(path),
      }),
    });
    return () => edge.close();
  });

  test('The watch page shows and fetches nothing in a frame of a foreign site', async () => {
    const refusal = page.waitForEvent('console', (message) =>
      message.text().includes('frame-ancestors'),
    );
    const body = `<iframe src="${edge.origin}/watch/${asset.assetId}"></iframe>`;
    await page.goto(`${EVIL}/?${new URLSearchParams({ body }).toString()}`);
    await refusal;
    expect(paths).toContain(`/watch/${asset.assetId}`);
    expect(paths.filter((path) => path.startsWith('/v/'))).toEqual([]);
  });
});
