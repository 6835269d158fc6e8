import { describe, expect, test } from 'vitest';
import type { ReadyEvent } from '../../core/model/asset.ts';
import { clip, make } from '../e2e/clips.ts';
import { violations } from './axe.ts';
import {
  consoleErrors,
  fixture,
  page,
  setUpPlayerTests,
  visit,
  visitAndPlay,
} from './player-tests.ts';
import { firstPlayedSecond, pauseAt, pressStart, waitUntilPlayed } from './viewer.ts';

/** Covers the player's attributes and keys. */

let talk: ReadyEvent;
let song: ReadyEvent;

setUpPlayerTests(async () => {
  const file = clip({ name: 'embedded.mp4', seconds: 40, size: '640x360', rate: '5' });
  talk = await fixture.publish(file, { title: 'A talk' });
  const sound = make('heard.m4a', ['-f', 'lavfi', '-i', 'sine=440:d=20:r=48000', '-c:a', 'aac']);
  song = await fixture.publish(sound, { title: 'A song', soundOnly: true });
});

const state = () =>
  page.evaluate(() => {
    const { video } = document.querySelector('vod-player') ?? {};
    return { at: video?.currentTime ?? NaN, paused: video?.paused, muted: video?.muted };
  });
/** The responses before playback: the playlist, and the poster if there is one. */
const beforePlay = (asset: ReadyEvent) =>
  [`200 ${asset.playlist}`, ...(asset.poster ? [`200 ${asset.poster}`] : [])].toSorted();

describe('before playback', () => {
  test('The player shows the poster and the title of the playlist, and fetches no media', async () => {
    await visit(fixture.embedCode(talk));
    await page.waitForFunction(() => {
      const image = document.querySelector('vod-player')?.shadowRoot?.querySelector('img');
      return image?.complete && image.naturalWidth > 0;
    });
    await page.getByText('A talk').waitFor();
    expect(fixture.responses.toSorted()).toEqual(beforePlay(talk));
    expect(consoleErrors).toEqual([]);
  });

  test('A player with preload="none" fetches nothing before playback', async () => {
    await visit(fixture.embedCode(talk, { preload: 'none' }));
    expect(fixture.responses).toEqual([]);
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
  });

  test('A player far below the viewport fetches nothing until it is near', async () => {
    const head = '<style>div { height: 5000px }</style>';
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/v/')) asked.push(request.url());
    });
    await page.goto(fixture.site.page(`<div></div>${fixture.embedCode(talk)}`, { head }), {
      waitUntil: 'networkidle',
    });
    expect(asked).toEqual([]);
    const answer = page.waitForResponse((one) => one.url().endsWith(talk.playlist));
    await page.locator('vod-player').scrollIntoViewIfNeeded();
    await answer;
  });

  test('A player with preload="auto" fetches the first segments, and still shows the poster', async () => {
    await visit(fixture.embedCode(talk, { preload: 'auto' }));
    await expect.poll(() => fixture.responses.some((line) => line.includes('/audio'))).toBe(true);
    await page.locator('.start').waitFor();
    expect((await state()).paused).toBe(true);
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    expect(consoleErrors).toEqual([]);
  });
});

describe('playback attributes', () => {
  test('A muted player with autoplay and loop starts by itself and starts over at the end', async () => {
    await visit(
      fixture.embedCode(talk, { autoplay: '', muted: '', loop: '', 'start-time': '38.5' }),
    );
    await waitUntilPlayed(page, 38.5);
    expect(await state()).toMatchObject({ paused: false, muted: true });
    await page.waitForFunction(() => (document.querySelector('vod-player')?.currentTime ?? 99) < 5);
    await waitUntilPlayed(page, 0.5);
    expect((await state()).paused).toBe(false);
    expect(
      await page.evaluate(() => localStorage.getItem('vod-media-chrome-pref-muted')),
    ).toBeNull();
    expect(consoleErrors).toEqual([]);
  });

  test('A player with autoplay that is not muted shows a start button instead', async () => {
    await visit(fixture.embedCode(talk, { autoplay: '' }));
    await page.locator('.start').waitFor();
    expect(fixture.responses.toSorted()).toEqual(beforePlay(talk));
  });

  test.each([
    [{ 'start-time': '12' }, '', 12],
    [{}, '#t=13', 13],
    [{}, '#t=npt:0:14,20', 14],
    [{ 'start-time': '0:15' }, '#t=3', 15],
    [{}, '#t=nonsense', 0],
  ])(
    'Playback with the attributes %j and the fragment "%s" starts at %d s',
    async (attributes, hash, at) => {
      await visit(fixture.embedCode(`${fixture.edge.origin}/${talk.playlist}${hash}`, attributes));
      await pressStart(page);
      await waitUntilPlayed(page, at + 0.1);
      expect(await firstPlayedSecond(page)).toBeCloseTo(at, 0);
      expect(consoleErrors).toEqual([]);
    },
  );

  test('Playback pauses once at the end of the media fragment', async () => {
    await visit(fixture.embedCode(`${fixture.edge.origin}/${talk.playlist}#t=5,6`));
    await pressStart(page);
    await page.waitForFunction(() => document.querySelector('vod-player')?.paused);
    expect((await state()).at).toBeGreaterThanOrEqual(6);
    expect((await state()).at).toBeLessThan(7);
    await page.locator('.play').click();
    await waitUntilPlayed(page, 7.5);
  });
});

describe('two players', () => {
  const both = (attributes = {}) =>
    `${fixture.embedCode(talk, attributes)}${fixture.embedCode(song)}`.replaceAll(
      '<script',
      '<p><script',
    );

  const playBoth = () =>
    page.evaluate(async () => {
      const [first, second] = document.querySelectorAll('vod-player');
      await first?.play();
      await second?.play();
      return [first?.paused, second?.paused];
    });

  test('A player that starts to sound pauses the other', async () => {
    await visit(both());
    expect(await playBoth()).toEqual([true, false]);
  });

  test('A player that is simultaneous or muted pauses no other until it is unmuted', async () => {
    await visit(both({ simultaneous: '' }));
    expect(await playBoth()).toEqual([false, false]);
    await visit(both({ muted: '' }));
    expect(await playBoth()).toEqual([false, false]);
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      if (player) player.muted = false;
    });
    await page.waitForFunction(() => document.querySelectorAll('vod-player')[1]?.paused);
  });
});

describe('keys', () => {
  test('Keys seek to tenths of the video, to its ends, and by ten seconds', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    await pauseAt(page, 5);
    const after = async (key: string) => {
      await page.keyboard.press(key);
      return Math.round((await state()).at);
    };
    expect(await after('5')).toBe(20);
    expect(await after('j')).toBe(10);
    expect(await after('l')).toBe(20);
    expect(await after('9')).toBe(36);
    expect(await after('Home')).toBe(0);
    expect(await after('End')).toBe(40);
    expect(await after('0')).toBe(0);
    expect(await after('Control+5')).toBe(0);
  });

  test.each([
    ['l', 35],
    ['ArrowRight', 35],
    ['j', 0],
    ['ArrowLeft', 0],
  ])('Quick presses of %s each seek from the target of the previous one', async (key, to) => {
    await visitAndPlay(fixture.embedCode(talk));
    await pauseAt(page, to === 0 ? 30 : 5);
    // In one task, so that no media event comes between them.
    await page.locator('.play').evaluate((button, name) => {
      for (const type of ['keydown', 'keyup', 'keydown', 'keyup', 'keydown', 'keyup']) {
        button.dispatchEvent(new KeyboardEvent(type, { key: name, bubbles: true, composed: true }));
      }
    }, key);
    expect((await state()).at).toBe(to);
  });

  test('Quick presses each change the volume or the speed', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    await page.locator('.play').evaluate((button) => {
      for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', '<', '<']) {
        for (const type of ['keydown', 'keyup']) {
          button.dispatchEvent(new KeyboardEvent(type, { key, bubbles: true, composed: true }));
        }
      }
    });
    const values = page.evaluate(() => {
      const { volume = NaN, playbackRate = NaN } = document.querySelector('vod-player') ?? {};
      return [volume.toFixed(3), playbackRate.toFixed(2)];
    });
    expect(await values).toEqual(['0.925', '0.50']);
  });
});

describe('the end of a video', () => {
  test('A replay button appears at the end and starts the video over', async () => {
    await visitAndPlay(`<main><h1>A page</h1>${fixture.embedCode(talk)}</main>`);
    await page.keyboard.press('End');
    const replay = page.getByRole('button', { name: 'replay' });
    await replay.waitFor();
    expect(await violations(page)).toEqual([]);
    await replay.click();
    await waitUntilPlayed(page, 0.2);
    expect((await state()).at).toBeLessThan(10);
    await replay.waitFor({ state: 'hidden' });
  });
});

describe('sound only', () => {
  test('A player without video is as high as its controls, which are always visible', async () => {
    await visit(`<main><h1>A page</h1>${fixture.embedCode(song)}</main>`);
    const play = page.locator('.play');
    await play.waitFor();
    const box = await page.locator('vod-player').boundingBox();
    expect(box?.height).toBe(132);
    await page.locator('.start').waitFor({ state: 'hidden' });
    expect(await violations(page)).toEqual([]);
    await play.click();
    await waitUntilPlayed(page, 0.2);
    expect(await violations(page)).toEqual([]);
    expect((await page.locator('vod-player').boundingBox())?.height).toBe(132);
    expect(await page.getByRole('button', { name: 'enter fullscreen mode' }).isVisible()).toBe(
      false,
    );
    await page.waitForFunction(() => {
      const root = document.querySelector('vod-player')?.shadowRoot;
      return root?.querySelector('vod-media-controller')?.hasAttribute('userinactive');
    });
    const bar = page.locator('vod-media-control-bar');
    const opacity = bar.evaluate((one) => {
      for (const fading of one.getAnimations()) fading.finish();
      return getComputedStyle(one).opacity;
    });
    expect(await opacity).toBe('1');
    expect(consoleErrors).toEqual([]);
  });

  test('A player without video takes the aspect ratio that the page sets', async () => {
    await visit(fixture.embedCode(song, { 'aspect-ratio': '16/9' }));
    await page.locator('.play').waitFor();
    const box = await page.locator('vod-player').boundingBox();
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(16 / 9, 1);
  });
});

test('axe finds no violations while the pointer is over the seek bar or a button', async () => {
  await visit(`<main><h1>A page</h1>${fixture.embedCode(talk)}</main>`);
  await pressStart(page);
  await waitUntilPlayed(page, 0.2);
  await page.locator('vod-media-time-range').hover();
  await page.locator('vod-media-time-range[mediapreviewimage]').waitFor();
  expect(await violations(page)).toEqual([]);
  for (const name of ['mute', 'settings']) {
    await page.getByRole('button', { name }).hover();
    expect(await violations(page)).toEqual([]);
  }
});
