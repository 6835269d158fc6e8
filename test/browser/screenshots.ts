import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { makeDemoClip } from '../../local/demo-clip.ts';
import { createLog } from '../../worker/log.ts';
import { openBrowser } from './browser.ts';
import { openStand } from './stand.ts';

const HELP = `Usage: npm run screenshots [-- NAME …]

Takes a picture of each state of what people see, or of those whose names begin so, and writes it to
docs/screenshots/.
`;

const DIRECTORY = fileURLToPath(new URL('../../docs/screenshots', import.meta.url));
const SIZES = {
  laptop: { width: 1280, height: 800 },
  phone: { width: 320, height: 568 },
} as const;

/** One picture: what to open and do, in pages of each size. */
interface Shot {
  readonly name: string;
  readonly sizes?: readonly (keyof typeof SIZES)[];
  readonly take: (page: Page) => Promise<void>;
}

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}
const wanted = process.argv.slice(2);

const stand = await openStand();
const browser = await openBrowser();
try {
  const clips = join(tmpdir(), 'vodstack-clips');
  const clip = await makeDemoClip(clips, createLog('silent'), new AbortController().signal);
  const asset = await stand.publish(clip, { title: 'A first video' });
  const { origin } = stand.edge;
  const poster = `${origin}/${asset.poster ?? ''}`;
  const article = (player: string) =>
    stand.site.page(`<main><h1>What we make</h1>${player}</main>`, {
      head: '<style>body{font:17px/1.5 system-ui;margin:0;color:#1c2230}main{max-width:60rem;margin:auto;padding:16px}h1{font-size:1.6rem;margin:.4em 0}</style>',
    });
  const open = async (page: Page, player = stand.lines(asset, { poster, title: asset.title })) => {
    await page.goto(article(player), { waitUntil: 'networkidle' });
  };
  const play = (page: Page) => page.getByRole('button', { name: 'play' }).first().click();
  const playing = async (page: Page) => {
    await open(page);
    await play(page);
    await page.waitForFunction(
      () => (document.querySelector('vod-player')?.video?.currentTime ?? 0) > 3,
    );
    await page.mouse.move(160, 200);
  };
  const shots: readonly Shot[] = [
    { name: 'player-poster', take: (page) => open(page) },
    {
      name: 'player-no-poster',
      take: (page) => open(page, stand.lines(asset, { title: asset.title })),
    },
    { name: 'player-playing', take: playing },
    {
      name: 'player-seek',
      take: async (page) => {
        await playing(page);
        const bar = page.locator('media-time-range');
        const image = page.waitForResponse((answer) => answer.url().endsWith('.jpg'));
        await bar.hover();
        await image;
        await page.waitForFunction(() =>
          document
            .querySelector('vod-player')
            ?.shadowRoot?.querySelector('media-time-range')
            ?.hasAttribute('mediapreviewimage'),
        );
      },
    },
    {
      name: 'player-menu',
      take: async (page) => {
        await playing(page);
        await page.getByRole('button', { name: 'settings' }).click();
      },
    },
    {
      name: 'player-quality',
      take: async (page) => {
        await playing(page);
        await page.getByRole('button', { name: 'settings' }).click();
        await page.getByRole('menuitem', { name: 'Quality' }).click();
      },
    },
    {
      name: 'player-problem',
      take: async (page) => {
        const address = `${origin}/v/ffffffffffffffffffff/index.m3u8`;
        await open(page, stand.lines(address, { poster, title: asset.title }));
        await play(page);
        await page.getByRole('alert').filter({ hasText: /./ }).waitFor();
      },
    },
    {
      name: 'watch',
      take: async (page) => {
        await page.goto(`${origin}/watch/${asset.assetId}`, { waitUntil: 'networkidle' });
      },
    },
  ];
  await mkdir(DIRECTORY, { recursive: true });
  for (const { name, take, sizes = ['laptop', 'phone'] as const } of shots) {
    if (wanted.length > 0 && !wanted.some((one) => name.startsWith(one))) continue;
    for (const size of sizes) {
      const context = await browser.newContext({ viewport: SIZES[size] });
      const page = await context.newPage();
      page.on('console', (m) => process.stderr.write(`${name}: ${m.text()}\n`));
      page.on('pageerror', (m) => process.stderr.write(`${name}: ${m.message}\n`));
      await take(page);
      const path = join(DIRECTORY, `${name}-${size}.png`);
      await page.screenshot({ path, animations: 'disabled' });
      process.stdout.write(`${path}\n`);
      await context.close();
    }
  }
} finally {
  await browser.close();
  await stand.close();
}
