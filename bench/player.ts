import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { bundlePlayer } from '../player/build.ts';
import { BROTLI_BUDGET_BYTES, measureSizes } from '../player/sizes.ts';
import { openBrowser } from '../test/browser/browser.ts';
import { openFixture } from '../test/browser/fixture.ts';
import { clip } from '../test/e2e/clips.ts';

const HELP = `Usage: npm run bench:player

Prints the size of the player and of the modules in it. Then measures the time from the click on play to the
first frame, in comparison with plain hls.js: in Chromium, from an edge on this machine, each in a new profile.
Fails if the player exceeds its budget of ${BROTLI_BUDGET_BYTES} bytes with Brotli.
`;
/** How many modules are listed. */
const LISTED_MODULES = 12;
/** Odd, so that one value is the median. */
const ROUNDS = 7;

if (process.argv.includes('--help')) {
  process.stdout.write(HELP);
  process.exit(0);
}

const { file: player, modules } = await bundlePlayer();
const library = await readFile(fileURLToPath(import.meta.resolve('hls.js/dist/hls.min.js')));
for (const [name, file] of [
  ['vod-player.js', player],
  ['hls.min.js', library],
] as const) {
  const { raw, gzip, brotli } = measureSizes(file);
  process.stdout.write(`${name}: ${raw} bytes, ${gzip} with gzip, ${brotli} with brotli\n`);
}
printModules();
const { brotli } = measureSizes(player);
if (brotli > BROTLI_BUDGET_BYTES) {
  process.stderr.write(
    `vod-player.js exceeds its budget of ${BROTLI_BUDGET_BYTES} bytes by ${brotli - BROTLI_BUDGET_BYTES}.\n`,
  );
  process.exitCode = 1;
}

const fixture = await openFixture();
const browser = await openBrowser();
try {
  const file = clip({ name: 'bench.mp4', seconds: 12, size: '640x360' });
  const asset = await fixture.publish(file, { title: 'Bench' });
  fixture.site.file('/hls.js', { type: 'text/javascript', body: library.toString() });
  const bare = `<video width="640" height="360"></video><button>play</button><script src="/hls.js"></script><script>
    document.querySelector('button').onclick = () => {
      const video = document.querySelector('video');
      const hls = new Hls();
      hls.loadSource('${fixture.edge.origin}/${asset.playlist}');
      hls.attachMedia(video);
      video.play();
    };</script>`;
  const pages = {
    'vod-player': fixture.site.page(fixture.embedCode(asset)),
    'plain hls.js': fixture.site.page(bare),
  };
  const times = new Map(Object.keys(pages).map((name) => [name, [] as number[]]));
  // Alternates, so that other load on the machine affects both.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, address] of Object.entries(pages)) {
      times.get(name)?.push(await timeToFirstFrame(browser, address));
    }
  }
  for (const [name, all] of times) {
    const sorted = all.toSorted((a, b) => a - b).map(Math.round);
    const [fastest, median, slowest] = [sorted[0], sorted[(ROUNDS - 1) / 2], sorted.at(-1)];
    process.stdout.write(
      `${name}: first frame ${median} ms after the click, ${fastest} to ${slowest} in ${ROUNDS} rounds\n`,
    );
  }
} finally {
  await browser.close();
  await fixture.close();
}

/** Prints the uncomclicked sizes of the packages in vod-player.js, then of its largest modules. */
function printModules(): void {
  const named = [...modules].map(([path, bytes]) => {
    const name = path.split('node_modules/').at(-1) ?? path;
    return { name, bytes, pkg: /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name };
  });
  const packages = [...Map.groupBy(named, ({ pkg }) => pkg)].map(([name, all]) => ({
    name,
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
  }));
  const largest = named.toSorted((a, b) => b.bytes - a.bytes).slice(0, LISTED_MODULES);
  for (const { name, bytes } of [...packages.toSorted((a, b) => b.bytes - a.bytes), ...largest]) {
    const share = ((100 * bytes) / player.length).toFixed(1);
    process.stdout.write(`${String(bytes).padStart(9)} ${share.padStart(4)} %  ${name}\n`);
  }
}

/** Milliseconds from the click to the first frame. */
async function timeToFirstFrame(browser: Browser, address: string): Promise<number> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(address, { waitUntil: 'networkidle' });
    const shown = page.evaluate(() => {
      const video = document.querySelector('vod-player')?.video ?? document.querySelector('video');
      return new Promise<number>((resolve, reject) => {
        if (!video) return reject(new Error('The page has no video.'));
        let clicked = 0;
        addEventListener('click', () => (clicked = performance.now()), { capture: true });
        video.requestVideoFrameCallback((now) => resolve(now - clicked));
      });
    });
    await page.getByRole('button', { name: 'play' }).click();
    return await shown;
  } finally {
    await context.close();
  }
}
