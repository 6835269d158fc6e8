import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ReadyEvent } from '../../../core/model/asset.ts';
import { makeDemoClip } from '../../../scripts/files/demo-clip.ts';
import { clip } from '../../e2e/clips.ts';
import { openFixture } from '../fixture.ts';
import type { Fixture } from '../fixture.ts';
import type { Album } from './album.ts';

const STYLE = `<style>
  body { font: 17px/1.5 system-ui; margin: 0; color: #1c2230 }
  main { max-width: 60rem; margin: auto; padding: 16px }
  h1 { font-size: 1.6rem; margin: 0.4em 0 }
</style>`;
const SIZES = {
  laptop: { width: 1280, height: 800 },
  tablet: { width: 640, height: 480 },
  phone: { width: 320, height: 568 },
  narrow: { width: 240, height: 240 },
  tiny: { width: 160, height: 240 },
} as const;

/** A screenshot, and the actions that lead to it, in each size. */
interface Shot {
  readonly name: string;
  readonly sizes?: readonly (keyof typeof SIZES)[];
  readonly options?: BrowserContextOptions;
  readonly reach: (page: Page) => Promise<void>;
}

/** Takes screenshots of the states of the player on the page of a site. */
export async function shootPlayer(browser: Browser, album: Album): Promise<void> {
  const fixture = await openFixture();
  try {
    await shoot(fixture, browser, album);
  } finally {
    await fixture.close();
  }
}

async function shoot(fixture: Fixture, browser: Browser, album: Album): Promise<void> {
  const clips = join(tmpdir(), 'vodstack-clips');
  const demo = await makeDemoClip(clips, new AbortController().signal);
  const video = await fixture.publish(demo, { title: 'A first video' });
  const song = await fixture.publish(demo, { title: 'Sound only', soundOnly: true });
  const tallClip = clip({ name: 'tall.mp4', seconds: 8, size: '360x640' });
  const tall = await fixture.publish(tallClip, { title: 'From a phone' });
  const { origin } = fixture.edge;
  const poster = (asset: ReadyEvent) => `${origin}/${asset.poster ?? ''}`;
  const embedCode = (asset: ReadyEvent) =>
    fixture.embedCode(asset, { poster: poster(asset), title: asset.title });

  const open = (page: Page, player: string) =>
    page.goto(fixture.site.page(`<main><h1>What we make</h1>${player}</main>`, { head: STYLE }), {
      waitUntil: 'networkidle',
    });
  const play = async (page: Page) => {
    await page.locator('.start').click();
    await page.waitForFunction(
      () => (document.querySelector('vod-player')?.video.currentTime ?? 0) > 3,
    );
    await page.mouse.move(160, 200);
  };
  const hoverSeekBar = async (page: Page) => {
    await page.locator('vod-media-time-range').hover();
    await page.locator('vod-media-time-range[mediapreviewimage]').waitFor();
    await page.waitForFunction(() => {
      const { shadowRoot: player } = document.querySelector('vod-player') ?? {};
      const { shadowRoot: bar } = player?.querySelector('vod-media-time-range') ?? {};
      const { shadowRoot: preview } = bar?.querySelector('vod-media-preview-thumbnail') ?? {};
      return (preview?.querySelector('img')?.naturalWidth ?? 0) > 0;
    });
  };
  /** Plays until the notice about a missing part appears. */
  const showNotice = async (page: Page, asset: ReadyEvent, button: string) => {
    await page.route(/\/00001\.\w+$/, (route) => route.fulfill({ status: 404 }));
    await page.goto(fixture.site.page(fixture.embedCode(asset)), { waitUntil: 'networkidle' });
    await page.locator(button).click();
    await page.getByRole('status').filter({ hasText: /./ }).waitFor();
    await page.mouse.move(80, 60);
  };
  const openMenu = (page: Page) => page.getByRole('button', { name: 'settings' }).click();

  const shots: readonly Shot[] = [
    {
      name: 'player-poster',
      reach: async (page) => {
        await open(page, embedCode(video));
      },
    },
    {
      name: 'player-no-poster',
      reach: async (page) => {
        await open(page, fixture.embedCode(video, { title: video.title }));
      },
    },
    {
      name: 'player-playing',
      reach: async (page) => {
        await open(page, embedCode(video));
        await play(page);
      },
    },
    {
      name: 'player-seek',
      reach: async (page) => {
        await open(page, embedCode(video));
        await play(page);
        await hoverSeekBar(page);
      },
    },
    {
      name: 'player-menu',
      reach: async (page) => {
        await open(page, embedCode(video));
        await play(page);
        await openMenu(page);
      },
    },
    {
      name: 'player-quality',
      reach: async (page) => {
        await open(page, embedCode(video));
        await play(page);
        await openMenu(page);
        await page.getByRole('menuitem', { name: 'Quality' }).click();
      },
    },
    {
      name: 'player-focus',
      reach: async (page) => {
        await open(page, embedCode(video));
        await play(page);
        for (const _ of ['mute', 'volume']) await page.keyboard.press('Tab');
      },
    },
    {
      name: 'player-problem',
      reach: async (page) => {
        const address = `${origin}/v/ffffffffffffffffffff/index.m3u8`;
        await open(page, fixture.embedCode(address, { poster: poster(video), title: video.title }));
        await page.locator('.start').click();
        await page.getByRole('alert').filter({ hasText: /./ }).waitFor();
      },
    },
    {
      name: 'player-sound',
      reach: async (page) => {
        await open(page, fixture.embedCode(song));
        await page.locator('.play').click();
        await page.locator('.play:not([mediapaused])').waitFor();
      },
    },
    {
      name: 'player-sound-notice',
      sizes: ['laptop', 'phone', 'narrow', 'tiny'],
      reach: async (page) => {
        await showNotice(page, song, '.play');
      },
    },
    {
      name: 'player-notice',
      sizes: ['laptop', 'tablet', 'phone', 'narrow', 'tiny'],
      reach: async (page) => {
        await showNotice(page, video, '.start');
      },
    },
    {
      name: 'player-ended',
      reach: async (page) => {
        await open(page, embedCode(video));
        await play(page);
        await page.keyboard.press('End');
        await page.locator('.replay').waitFor();
      },
    },
    {
      name: 'player-contrast-ended',
      options: { forcedColors: 'active', colorScheme: 'dark' },
      reach: async (page) => {
        await open(page, embedCode(video));
        await play(page);
        await page.keyboard.press('End');
        await page.locator('.replay').waitFor();
      },
    },
    {
      name: 'player-contrast-notice',
      options: { forcedColors: 'active', colorScheme: 'light' },
      reach: async (page) => {
        await showNotice(page, video, '.start');
      },
    },
    ...(['poster', 'playing'] as const).map((state): Shot => ({
      name: `player-${state}`,
      sizes: ['narrow', 'tiny'],
      reach: async (page) => {
        const title = 'A title that is longer than a narrow player';
        await page.goto(fixture.site.page(fixture.embedCode(video, { title })), {
          waitUntil: 'networkidle',
        });
        if (state === 'playing') await play(page);
      },
    })),
    ...(['light', 'dark'] as const).map((colorScheme): Shot => ({
      name: `player-contrast-${colorScheme}`,
      options: { forcedColors: 'active', colorScheme },
      reach: async (page) => {
        await open(page, embedCode(video));
        await play(page);
        await openMenu(page);
      },
    })),
    {
      name: 'player-right-to-left',
      reach: async (page) => {
        await open(page, `<div dir="rtl">${embedCode(video)}</div>`);
        await play(page);
        await openMenu(page);
      },
    },
    {
      name: 'player-portrait',
      reach: async (page) => {
        const attributes = { poster: poster(tall), title: tall.title, 'aspect-ratio': '9/16' };
        await open(page, fixture.embedCode(tall, attributes));
        await play(page);
      },
    },
    {
      name: 'watch-sound',
      reach: async (page) => {
        await page.goto(`${origin}/watch/${song.assetId}`, { waitUntil: 'networkidle' });
      },
    },
    {
      name: 'watch',
      reach: async (page) => {
        await page.goto(`${origin}/watch/${video.assetId}`, { waitUntil: 'networkidle' });
        await play(page);
        await hoverSeekBar(page);
      },
    },
  ];
  for (const { name, reach, options, sizes = ['laptop', 'phone'] as const } of shots) {
    for (const size of sizes) {
      if (!album.wants(`${name}-${size}`)) continue;
      const context = await browser.newContext({ viewport: SIZES[size], ...options });
      const page = await context.newPage();
      await reach(page);
      await album.add(`${name}-${size}`, page);
      await context.close();
    }
  }
}
