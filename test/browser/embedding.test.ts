import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { ReadyEvent } from '../../core/model/asset.ts';
import { clip } from '../e2e/clips.ts';
import { documentedPolicy } from './documented-policy.ts';
import {
  consoleErrors,
  currentTime,
  fixture,
  page,
  setUpPlayerTests,
  visit,
  visitAndPlay,
} from './player-tests.ts';
import { pauseAt, pressStart, waitUntilPlayed } from './viewer.ts';

/** Covers what pages and frameworks do with the player. */

let talk: ReadyEvent;

setUpPlayerTests(async () => {
  const file = clip({ name: 'embedded.mp4', seconds: 40, size: '640x360', rate: '5' });
  talk = await fixture.publish(file, { title: 'A talk' });
});

/** The computed styles of all elements in the player's shadow roots. */
function computedStyles(): Promise<readonly string[]> {
  return page.evaluate(() => {
    for (const animation of document.getAnimations()) animation.finish();
    const properties = [
      'display',
      'position',
      'height',
      'color',
      'background-color',
      'opacity',
      'visibility',
      'padding',
      'font-size',
      'box-shadow',
      'fill',
    ];
    const found: string[] = [];
    const visit = (root: ShadowRoot | Element) => {
      for (const element of root.children) {
        const style = getComputedStyle(element);
        const values = properties.map((name) => style.getPropertyValue(name));
        found.push(`${element.localName}.${element.getAttribute('class')} ${values.join(' ')}`);
        if (element.shadowRoot) visit(element.shadowRoot);
        visit(element);
      }
    };
    const player =
      document.querySelector('vod-player') ??
      document.querySelector('#host')?.shadowRoot?.querySelector('vod-player');
    if (player?.shadowRoot) visit(player.shadowRoot);
    return found;
  });
}

describe('moving the element', () => {
  const MOVES = {
    'that is removed and added again': () => {
      const player = document.querySelector('vod-player');
      const { parentElement } = player ?? {};
      player?.remove();
      if (player) parentElement?.append(player);
    },
    'that is moved within the page': () => {
      const player = document.querySelector('vod-player');
      if (player) document.querySelector('main')?.prepend(player);
    },
    'that is moved into a dialog and out of it': () => {
      const player = document.querySelector('vod-player');
      const dialog = document.body.appendChild(document.createElement('dialog'));
      if (player) dialog.append(player);
      dialog.showModal();
      dialog.close();
      if (player) document.querySelector('section')?.append(player);
    },
  } as const;

  test.each(Object.entries(MOVES))(
    'A player %s keeps its styles and plays',
    async (_title, move) => {
      const poster = `${fixture.edge.origin}/${talk.poster ?? ''}`;
      await visit(
        `<main><section>${fixture.embedCode(talk, { poster, title: 'A talk' })}</section></main>`,
      );
      const picture = () => page.locator('vod-player').screenshot({ animations: 'disabled' });
      const before = await picture();
      await pressStart(page);
      await waitUntilPlayed(page, 0.2);
      await pauseAt(page, 20);
      const playing = await computedStyles();
      await page.mouse.move(0, 0);
      await page.evaluate(move);
      await page.locator('.start').waitFor();
      await page.waitForFunction(() => {
        const image = document.querySelector('vod-player')?.shadowRoot?.querySelector('img');
        return image?.complete;
      });
      await expect.poll(async () => (await picture()).equals(before)).toBe(true);
      await pressStart(page);
      await waitUntilPlayed(page, 0.2);
      await pauseAt(page, 20);
      expect(await computedStyles()).toEqual(playing);
      expect(consoleErrors).toEqual([]);
    },
  );

  test('A player that is moved through another document keeps its styles', async () => {
    await visit(`<main><section>${fixture.embedCode(talk, { title: 'A talk' })}</section></main>`);
    const before = await computedStyles();
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      const frame = document.body.appendChild(document.createElement('iframe'));
      if (player) frame.contentDocument?.body.append(player);
      if (player) document.querySelector('section')?.append(player);
      frame.remove();
    });
    expect(await computedStyles()).toEqual(before);
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    expect(consoleErrors).toEqual([]);
  });
});

describe('media-chrome of the page', () => {
  test.each([true, false])(
    'The player and media-chrome of the page both work (media-chrome is loaded first: %s)',
    async (before) => {
      const own = fileURLToPath(import.meta.resolve('media-chrome/dist/iife/index.js'));
      const body = readFileSync(own, 'utf8');
      const src = fixture.site.file('/media-chrome.js', { type: 'text/javascript', body });
      const theirs = `<style>:root { --media-primary-color: red; --media-control-background: red }</style>
      <script ${before ? '' : 'type="module"'} src="${src}"></script>
      <media-controller><video slot="media"></video><media-play-button></media-play-button></media-controller>`;
      const ours = fixture.embedCode(talk);
      await page.goto(fixture.site.page(before ? theirs + ours : ours + theirs));
      await pressStart(page);
      await waitUntilPlayed(page, 0.5);
      await page.locator('vod-media-settings-menu-button').click();
      await page.getByRole('menuitem', { name: 'Speed' }).waitFor();
      const colour = page.locator('.play').evaluate((one) => getComputedStyle(one).color);
      expect(await colour).toBe('rgb(255, 255, 255)');
      // Elements of the player's copy have no <style> (player/shadow.ts).
      const isTheirs = page
        .locator('body > media-controller > media-play-button')
        .evaluate((one) => one.shadowRoot?.querySelector('style') instanceof HTMLStyleElement);
      expect(await isTheirs).toBe(true);
      expect(consoleErrors).toEqual([]);
    },
  );
});

describe('Trusted Types', () => {
  const required = (names: string) => ({
    headers: {
      'content-security-policy': `${documentedPolicy(fixture.edge.origin)}; require-trusted-types-for 'script'${names}`,
    },
  });

  test.each(['', '; trusted-types vod-player'])(
    'The player works on a page that requires Trusted Types with "%s"',
    async (names) => {
      await visit(fixture.embedCode(talk), required(names));
      await pressStart(page);
      await waitUntilPlayed(page, 0.5);
      await page.locator('vod-media-time-range').hover();
      await page.keyboard.press('Shift+?');
      await page.getByRole('dialog').waitFor();
      expect(consoleErrors).toEqual([]);
    },
  );

  test('The player says so if the Trusted Types of the page do not allow it', async () => {
    await visit(fixture.embedCode(talk), required("; trusted-types 'none'"));
    const sentence =
      'This page does not let the player start: its Trusted Types have to allow vod-player.';
    await page.getByText(sentence).waitFor();
  });
});

describe('properties', () => {
  test('Properties have the same effect before and after the script has loaded', async () => {
    const src = `${fixture.edge.origin}/${talk.playlist}`;
    await page.goto(
      fixture.site.page(`<vod-player></vod-player><script>
        const early = document.querySelector('vod-player');
        Object.assign(early, { src: '${src}', aspectRatio: '4/1', forgetPosition: true, loop: true, muted: true });
      </script>${fixture.embedCode(talk).split('<vod-player')[0] ?? ''}`),
    );
    const box = await page.locator('vod-player').boundingBox();
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(4, 1);
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    const state = () =>
      page.evaluate(() => {
        const player = document.querySelector('vod-player');
        const { loop, muted } = player?.video ?? {};
        return { loop, muted, attributes: player?.getAttributeNames().toSorted() };
      });
    expect(await state()).toEqual({
      loop: true,
      muted: true,
      attributes: ['aspect-ratio', 'forget-position', 'loop', 'src'],
    });
    const at = page.evaluate(() => {
      const player = document.querySelector('vod-player');
      if (player)
        Object.assign(player, { loop: false, currentTime: 10, playbackRate: 2, muted: false });
      return player?.video.currentTime;
    });
    expect(await at).toBe(10);
    await waitUntilPlayed(page, 10);
    expect(await state()).toMatchObject({ loop: false, muted: false });
    expect(
      await page.evaluate(() => {
        const { paused, duration, playbackRate } = document.querySelector('vod-player') ?? {};
        return { paused, duration, playbackRate };
      }),
    ).toEqual({ paused: false, duration: 40, playbackRate: 2 });
  });

  test('A flag with the value "false" is off', async () => {
    await visit(
      fixture.embedCode(talk, { 'forget-position': 'false', loop: 'false', autoplay: 'false' }),
    );
    const flags = page.evaluate(() => {
      const { forgetPosition, loop, autoplay } = document.querySelector('vod-player') ?? {};
      return { forgetPosition, loop, autoplay };
    });
    expect(await flags).toEqual({ forgetPosition: false, loop: false, autoplay: false });
  });

  test('The attribute aspect-ratio overrides the style sheet and survives changes of the style attribute', async () => {
    const head = '<style>vod-player { aspect-ratio: 16 / 9 }</style>';
    await page.goto(
      fixture.site.page(fixture.embedCode(talk, { 'aspect-ratio': '4/1' }), { head }),
    );
    await page.locator('.start').waitFor();
    await page.evaluate(() =>
      document.querySelector('vod-player')?.setAttribute('style', 'color: red'),
    );
    const box = await page.locator('vod-player').boundingBox();
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(4, 1);
  });
});

describe('the next video', () => {
  test('A change of src dispatches pause, and keeps the speed and the quality', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    await page.locator('vod-media-settings-menu-button').click();
    await page.getByRole('menuitem', { name: 'Quality' }).click();
    fixture.responses.length = 0;
    await page.getByRole('menuitemradio', { name: '234p', exact: true }).click();
    await page.locator('vod-media-settings-menu-button').click();
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      if (player) player.playbackRate = 1.5;
      player?.addEventListener('pause', () => (document.title += ' pause'));
    });
    await page.waitForFunction(
      () => document.querySelector('vod-player')?.video.defaultPlaybackRate === 1.5,
    );
    // No segment of the other rendition is being fetched from here on.
    await expect.poll(() => fixture.responses.some((line) => line.includes('/234p/0'))).toBe(true);
    fixture.responses.length = 0;
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      if (player) player.src += '?next';
    });
    expect(await page.title()).toBe('A page pause');
    await pressStart(page);
    await waitUntilPlayed(page, 1);
    expect(await page.evaluate(() => document.querySelector('vod-player')?.playbackRate)).toBe(1.5);
    expect(fixture.responses.filter((line) => line.includes('/360p/0'))).toEqual([]);
    expect(fixture.responses.some((line) => line.includes('/234p/0'))).toBe(true);
    await page.locator('vod-media-settings-menu-button').click();
    await page.getByRole('menuitem', { name: 'Quality' }).click();
    const chosen = page.getByRole('menuitemradio', { name: '234p', exact: true });
    expect(await chosen.getAttribute('aria-checked')).toBe('true');
  });
});

describe('the device', () => {
  test('The media session shows the title, and its actions seek', async () => {
    await page.addInitScript(() => {
      const handlers = new Map<string, MediaSessionActionHandler | null>();
      Object.assign(window, { handlers });
      navigator.mediaSession.setActionHandler = (action, handler) =>
        void handlers.set(action, handler);
    });
    await visit(fixture.embedCode(talk));
    await page.waitForFunction(() => {
      const image = document.querySelector('vod-player')?.shadowRoot?.querySelector('img');
      return image?.complete && image.naturalWidth > 0;
    });
    fixture.responses.length = 0;
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    expect(fixture.responses.filter((line) => line.includes('poster'))).toEqual([]);
    const title = page.evaluate(() => navigator.mediaSession.metadata?.title);
    expect(await title).toBe('A talk');
    const skipped = page.evaluate(() => {
      const { handlers } = window as unknown as {
        handlers: Map<string, MediaSessionActionHandler>;
      };
      const { video } = document.querySelector('vod-player') ?? {};
      const before = video?.currentTime ?? NaN;
      handlers.get('seekforward')?.({ action: 'seekforward' });
      return (video?.currentTime ?? NaN) - before;
    });
    expect(await skipped).toBeCloseTo(10, 1);
    await page.evaluate(() => document.querySelector('vod-player')?.remove());
    expect(await page.evaluate(() => navigator.mediaSession.metadata)).toBeNull();
  });

  test('The player offers no picture in picture in a frame that may not use it', async () => {
    const inner = fixture.site.page(fixture.embedCode(talk));
    const headers = { 'permissions-policy': 'picture-in-picture=()' };
    await visit(`<iframe src="${inner}" width="900" height="600" allow="autoplay"></iframe>`, {
      headers: { ...headers, 'content-security-policy': '' },
    });
    const frame = page.frameLocator('iframe');
    await frame.locator('.start').click();
    await frame.locator('.play').waitFor();
    await frame.locator('vod-media-pip-button').waitFor({ state: 'hidden' });
    await frame.locator('vod-media-mute-button').waitFor();
  });
});

describe('the seek bar', () => {
  test('Arrow keys on the seek bar seek by ten seconds', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    await pauseAt(page, 5);
    await page.locator('vod-media-time-range').evaluate((one) => {
      one.shadowRoot?.querySelector('input')?.focus();
    });
    await page.keyboard.press('ArrowRight');
    expect(await currentTime()).toBeCloseTo(15, 1);
    await page.keyboard.press('ArrowUp');
    expect(await currentTime()).toBeCloseTo(25, 1);
    await page.keyboard.press('ArrowLeft');
    expect(await currentTime()).toBeCloseTo(15, 1);
  });

  test('The controls run from left to right on a right-to-left page', async () => {
    await visitAndPlay(`<div dir="rtl">${fixture.embedCode(talk)}</div>`);
    await pauseAt(page, 10);
    const bar = await page.locator('vod-media-time-range').boundingBox();
    await page.mouse.click((bar?.x ?? 0) + (bar?.width ?? 0) * 0.75, (bar?.y ?? 0) + 10);
    const at = await currentTime();
    expect(at).toBeGreaterThan(28);
    expect(at).toBeLessThan(32);
    const isLeftToRight = await page.evaluate(() => {
      const root = document.querySelector('vod-player')?.shadowRoot;
      const left = (selector: string) =>
        root?.querySelector(selector)?.getBoundingClientRect().left ?? 0;
      return left('.play') < left('vod-media-fullscreen-button');
    });
    expect(isLeftToRight).toBe(true);
  });
});
