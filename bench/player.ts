import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { bundlePlayer } from '../player/build.ts';
import { BROTLI_BUDGET_BYTES, measureSizes } from '../player/sizes.ts';
import { openBrowser } from '../test/browser/browser.ts';
import { openStand } from '../test/browser/stand.ts';
import { clip } from '../test/e2e/clips.ts';

const HELP = `Usage: npm run bench:player

Prints how large the player is and what it is made of, and how long it takes from the press of play to the
first picture, beside plain hls.js with a bare <video>: in Chromium, from an edge on this machine, each in a
new profile. Fails where the player is larger than its budget of ${BROTLI_BUDGET_BYTES} bytes with Brotli.
`;
/** Modules that are named one by one. */
const LARGEST = 12;
/** Odd, so that there is a median. */
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
    `vod-player.js has ${brotli - BROTLI_BUDGET_BYTES} bytes more than its budget of ${BROTLI_BUDGET_BYTES}.\n`,
  );
  process.exitCode = 1;
}

const stand = await openStand();
const browser = await openBrowser();
try {
  const file = clip({ name: 'bench.mp4', seconds: 12, size: '640x360' });
  const asset = await stand.publish(file, { title: 'Bench' });
  stand.site.file('/hls.js', { type: 'text/javascript', body: library.toString() });
  const bare = `<video width="640" height="360"></video><button>play</button><script src="/hls.js"></script><script>
    document.querySelector('button').onclick = () => {
      const video = document.querySelector('video');
      const hls = new Hls();
      hls.loadSource('${stand.edge.origin}/${asset.playlist}');
      hls.attachMedia(video);
      video.play();
    };</script>`;
  const pages = {
    'vod-player': stand.site.page(stand.lines(asset)),
    'plain hls.js': stand.site.page(bare),
  };
  const times = new Map(Object.keys(pages).map((name) => [name, [] as number[]]));
  // In turns, so that whatever else the machine does meets both.
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, address] of Object.entries(pages)) {
      times.get(name)?.push(await firstPicture(browser, address));
    }
  }
  for (const [name, all] of times) {
    const sorted = all.toSorted((a, b) => a - b).map(Math.round);
    const [least, median, most] = [sorted[0], sorted[(ROUNDS - 1) / 2], sorted.at(-1)];
    process.stdout.write(
      `${name}: first picture ${median} ms after the press, ${least} to ${most} in ${ROUNDS} rounds\n`,
    );
  }
} finally {
  await browser.close();
  await stand.close();
}

/** The contents of vod-player.js before compression: by package, then the largest modules. */
function printModules(): void {
  const named = [...modules].map(([path, bytes]) => {
    const name = path.split('node_modules/').at(-1) ?? path;
    return { name, bytes, of: /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name };
  });
  const packages = [...Map.groupBy(named, ({ of }) => of)].map(([name, all]) => ({
    ...{ name, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) },
  }));
  const largest = named.toSorted((a, b) => b.bytes - a.bytes).slice(0, LARGEST);
  for (const { name, bytes } of [...packages.toSorted((a, b) => b.bytes - a.bytes), ...largest]) {
    const share = ((100 * bytes) / player.length).toFixed(1);
    process.stdout.write(`${String(bytes).padStart(9)} ${share.padStart(4)} %  ${name}\n`);
  }
}

/** Milliseconds from the press to the first frame that is shown. */
async function firstPicture(of: Browser, address: string): Promise<number> {
  const context = await of.newContext();
  try {
    const page = await context.newPage();
    await page.goto(address, { waitUntil: 'networkidle' });
    const shown = page.evaluate(() => {
      const video = document.querySelector('vod-player')?.video ?? document.querySelector('video');
      return new Promise<number>((resolve, reject) => {
        if (!video) return reject(new Error('The page has no video.'));
        let pressed = 0;
        addEventListener('click', () => (pressed = performance.now()), { capture: true });
        video.requestVideoFrameCallback((now) => resolve(now - pressed));
      });
    });
    await page.getByRole('button', { name: 'play' }).click();
    return await shown;
  } finally {
    await context.close();
  }
}
