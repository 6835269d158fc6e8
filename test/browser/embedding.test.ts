import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AssetDocument } from '../../worker/plan/asset.ts';
import { clip } from '../e2e/clips.ts';
import { openBrowser } from './browser.ts';
import { documentedPolicy } from './documented-policy.ts';
import type { PageOptions } from './site.ts';
import { openStand } from './stand.ts';
import type { Stand } from './stand.ts';
import { pausesAt, playsTo, press } from './viewer.ts';

/** The player on pages that do what pages of sites and of frameworks do. */

let stand: Stand;
let talk: AssetDocument;
let browser: Browser;
let page: Page;
/** What the page complained of. */
let complaints: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  stand = await openStand();
  const file = clip({ name: 'embedded.mp4', seconds: 40, size: '640x360', rate: '5' });
  talk = await stand.publish(file, { title: 'A talk' });
  return async () => {
    await browser.close();
    await stand.close();
  };
});

beforeEach(() => open());
afterEach(() => page.context().close());

/** A new viewer. */
async function open(options: BrowserContextOptions = {}): Promise<void> {
  stand.answered.length = 0;
  complaints = [];
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
}

/** Opens a page of the site under the policy that docs/player.md has, with scripts of the test's own. */
async function visit(body: string, options: PageOptions = {}): Promise<void> {
  const policy = documentedPolicy(stand.edge.origin);
  const headers = { 'content-security-policy': policy, ...options.headers };
  await page.goto(stand.site.page(body, { ...options, headers }), { waitUntil: 'networkidle' });
}

/** How everything in the player looks, in all of its shadow roots. */
function looks(): Promise<readonly string[]> {
  return page.evaluate(() => {
    for (const animation of document.getAnimations()) animation.finish();
    const properties = [
      ...['display', 'position', 'height', 'color', 'background-color', 'opacity', 'visibility'],
      ...['padding', 'font-size', 'box-shadow', 'fill'],
    ];
    const found: string[] = [];
    const look = (root: ShadowRoot | Element) => {
      for (const element of root.children) {
        const style = getComputedStyle(element);
        const values = properties.map((name) => style.getPropertyValue(name));
        found.push(`${element.localName}.${element.getAttribute('class')} ${values.join(' ')}`);
        if (element.shadowRoot) look(element.shadowRoot);
        look(element);
      }
    };
    const player =
      document.querySelector('vod-player') ??
      document.querySelector('#host')?.shadowRoot?.querySelector('vod-player');
    if (player?.shadowRoot) look(player.shadowRoot);
    return found;
  });
}

describe('A player that is moved', () => {
  const MOVES = {
    'off the page and back': () => {
      const player = document.querySelector('vod-player');
      const { parentElement } = player ?? {};
      player?.remove();
      if (player) parentElement?.append(player);
    },
    'to another place of the page': () => {
      const player = document.querySelector('vod-player');
      if (player) document.querySelector('main')?.prepend(player);
    },
    'into a dialog and out of it': () => {
      const player = document.querySelector('vod-player');
      const dialog = document.body.appendChild(document.createElement('dialog'));
      if (player) dialog.append(player);
      dialog.showModal();
      dialog.close();
      if (player) document.querySelector('section')?.append(player);
    },
  } as const;

  test.each(Object.entries(MOVES))('%s looks as it did, and plays.', async (_where, move) => {
    const poster = `${stand.edge.origin}/${talk.poster ?? ''}`;
    await visit(
      `<main><section>${stand.lines(talk, { poster, title: 'A talk' })}</section></main>`,
    );
    const picture = () => page.locator('vod-player').screenshot({ animations: 'disabled' });
    const before = await picture();
    await press(page);
    await playsTo(page, 0.2);
    await pausesAt(page, 20);
    const playing = await looks();
    await page.mouse.move(0, 0);
    await page.evaluate(move);
    await page.locator('.start').waitFor();
    await page.waitForFunction(() => {
      const image = document.querySelector('vod-player')?.shadowRoot?.querySelector('img');
      return image?.complete;
    });
    await expect.poll(async () => (await picture()).equals(before)).toBe(true);
    await press(page);
    await playsTo(page, 0.2);
    await pausesAt(page, 20);
    expect(await looks()).toEqual(playing);
    expect(complaints).toEqual([]);
  });

  test('into another document keeps its rules.', async () => {
    await visit(`<main><section>${stand.lines(talk, { title: 'A talk' })}</section></main>`);
    const before = await looks();
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      const frame = document.body.appendChild(document.createElement('iframe'));
      if (player) frame.contentDocument?.body.append(player);
      if (player) document.querySelector('section')?.append(player);
      frame.remove();
    });
    expect(await looks()).toEqual(before);
    await press(page);
    await playsTo(page, 0.2);
    expect(complaints).toEqual([]);
  });
});
