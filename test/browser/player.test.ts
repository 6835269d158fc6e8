import type { Browser, Page } from 'playwright-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { signAddress } from '../../edge/playback-token.ts';
import type { ReadyEvent } from '../../core/model/asset.ts';
import { playlistPath, versionKey } from '../../core/model/keys.ts';
import { clip, make } from '../e2e/clips.ts';
import { violations } from './axe.ts';
import { openBrowser } from './browser.ts';
import { documentedPolicy } from './documented-policy.ts';
import type { PageOptions } from './site.ts';
import { openFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import {
  firstPlayedSecond,
  openViewer,
  waitUntilPlayed,
  pressStart,
  seek,
  visit as visitUnderPolicy,
} from './viewer.ts';

/** Slow, as it encodes videos and plays them in a browser at their own speed. */

const TITLE = 'A talk: "#2, 4" & <b>강의</b>';
const SECONDS = 20;

let fixture: Fixture;
let talk: ReadyEvent;
let song: ReadyEvent;
let tall: ReadyEvent;
let browser: Browser;
let page: Page;
/** What the page complained of. */
let complaints: readonly string[];

beforeAll(async () => {
  browser = await openBrowser();
  fixture = await openFixture();
  const sound = (hertz: number) => ['-f', 'lavfi', '-i', `sine=${hertz}:d=${SECONDS}:r=48000`];
  const talkClip = make('talk.mp4', [
    ...['-f', 'lavfi', '-i', `testsrc2=s=640x360:r=25:d=${SECONDS}`, ...sound(440), ...sound(880)],
    ...['-map', '0:v', '-map', '1:a', '-map', '2:a', '-c:v', 'libx264', '-preset', 'ultrafast'],
    ...['-c:a', 'aac', '-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu'],
  ]);
  talk = await fixture.publish(talkClip, { title: TITLE });
  const songClip = make('song.m4a', [...sound(440), '-c:a', 'aac']);
  song = await fixture.publish(songClip, { title: 'A song', soundOnly: true });
  tall = await fixture.publish(clip({ name: 'tall.mp4', seconds: 4, size: '180x320' }), {
    title: 'Tall',
  });
  return async () => {
    await browser.close();
    await fixture.close();
  };
});

beforeEach(async () => {
  fixture.answered.length = 0;
  ({ page, complaints } = await openViewer(browser));
});
afterEach(() => page.context().close());

const visit = (body: string, options?: PageOptions) =>
  visitUnderPolicy(page, fixture, body, options);

const policy = () => documentedPolicy(fixture.edge.origin);
const poster = () => `${fixture.edge.origin}/${talk.poster ?? ''}`;
/** What is fetched before the first press: the playlist and the poster that it names. */
const beforePlay = () => [`200 ${talk.playlist}`, `200 ${talk.poster ?? ''}`].toSorted();
const start = () => page.locator('.start');
const button = (name: string) => page.getByRole('button', { name, exact: true });

const currentTime = () =>
  page.evaluate(() => document.querySelector('vod-player')?.video.currentTime ?? NaN);

/** The sentence about what is wrong, once there is one. */
async function problem(): Promise<string | null> {
  const alert = page.getByRole('alert').filter({ hasText: /./ });
  await alert.waitFor();
  return alert.textContent();
}

describe('The player', () => {
  test('asks for no media at first, then plays, seeks and plays to the end.', async () => {
    await visit(fixture.embedCode(talk, { poster: poster() }));
    expect(fixture.answered.toSorted()).toEqual(beforePlay());
    expect(await page.locator('.poster img').evaluate(isShown)).toBe(true);

    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    await seek(page, 9);
    await waitUntilPlayed(page, 9.5);
    await seek(page, SECONDS - 1);
    await page.waitForFunction(() => document.querySelector('vod-player')?.video.ended);
    const end = await page.evaluate(() => {
      const { video } = document.querySelector('vod-player') ?? {};
      const { totalVideoFrames = 0 } = video?.getVideoPlaybackQuality() ?? {};
      return { at: video?.currentTime ?? 0, error: video?.error ?? null, frames: totalVideoFrames };
    });
    expect(end.error).toBeNull();
    expect(end.at).toBeCloseTo(SECONDS, 0);
    expect(end.frames).toBeGreaterThan(25);
    expect(fixture.answered.filter((line) => !/^20[06] /.test(line))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('works on a page that sends no Referer, its pictures too.', async () => {
    const headers = { 'referrer-policy': 'no-referrer' };
    await visit(fixture.embedCode(talk, { poster: poster() }), { headers });
    expect(await page.locator('.poster img').evaluate(isShown)).toBe(true);
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    await hoverSeekBar();
    expect(fixture.answered.filter((line) => !/^20[06] /.test(line))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test('takes segments apart in a worker, and on the page where the page allows no worker.', async () => {
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(page.workers().map((worker) => worker.url())).toEqual([expect.stringMatching(/^blob:/)]);
    expect(complaints).toEqual([]);
    await visit(fixture.embedCode(talk), {
      headers: { 'content-security-policy': policy().replace('worker-src blob:', '') },
    });
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(page.workers()).toEqual([]);
  });

  test('is called by the title, as text, that the page or else the video has.', async () => {
    await visit(fixture.embedCode(talk, { preload: 'none' }));
    expect(await page.getByRole('region', { name: 'video player' }).count()).toBe(1);
    await pressStart(page);
    await waitUntilPlayed(page, 0.1);
    const title = TITLE.replaceAll('"', '”');
    expect(await page.getByRole('region', { name: title, exact: true }).count()).toBe(1);
    expect(await page.getByText(title, { exact: true }).count()).toBe(1);
    await page.evaluate(
      () => ((document.querySelector('vod-player') as HTMLElement).title = 'Ours'),
    );
    expect(await page.getByRole('region', { name: 'Ours', exact: true }).count()).toBe(1);
  });

  test('tells the page what happens, and obeys it.', async () => {
    await visit(`<button id="other">Mine</button>${fixture.embedCode(talk)}`);
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      for (const type of ['playing', 'pause']) {
        player?.addEventListener(type, () => (document.title += ` ${type}`));
      }
      document.querySelector('#other')?.addEventListener('click', () => void player?.play());
    });
    await page.locator('#other').click();
    await waitUntilPlayed(page, 0.5);
    await page.evaluate(() => document.querySelector('vod-player')?.pause());
    await page.waitForFunction(() => document.title === 'A page playing pause');
  });

  // Not by page.evaluate(), which to the browser is a press.
  const playsByItself = async (andAlso = '') => {
    await page.addInitScript(`${andAlso}
      addEventListener('load', async () => {
        await customElements.whenDefined('vod-player');
        document.title = await document.querySelector('vod-player').play();
      })`);
    await visit(fixture.embedCode(talk));
    await page.waitForFunction(() => ['true', 'false'].includes(document.title));
    return page.title();
  };

  test('refuses to play without a press, politely, and then waits for one.', async () => {
    expect(await playsByItself()).toBe('false');
    await start().waitFor();
    expect(fixture.answered.toSorted()).toEqual(beforePlay());
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    await start().waitFor({ state: 'hidden' });
    expect(complaints).toEqual([]);
  });

  test('refuses politely also where only the browser knows that nobody pressed.', async () => {
    const pressed = `Object.defineProperty(navigator, 'userActivation', { value: { hasBeenActive: true } });`;
    expect(await playsByItself(pressed)).toBe('false');
    await start().waitFor();
    expect(complaints).toEqual([]);
  });

  test('plays muted without a press, as browsers allow.', async () => {
    const muted = `customElements.whenDefined('vod-player').then(() => {
        document.querySelector('vod-player').video.muted = true;
      });`;
    expect(await playsByItself(muted)).toBe('true');
    await waitUntilPlayed(page, 0.2);
  });

  test('stops fetching when it is taken off the page, and plays again when it is back.', async () => {
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      player?.remove();
      if (player) document.body.append(player);
    });
    await start().waitFor();
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(complaints).toEqual([]);
  });

  test('is still the same when it is moved in the page.', async () => {
    const src = fixture.site.file('/moved.vtt', { type: 'text/vtt', body: 'WEBVTT\n' });
    const track = `<track kind="captions" src="${src}" srclang="en" label="English">`;
    await visit(
      `${fixture.embedCode(talk, { title: 'A name' }, track)}<p><a href="#">After it</a></p>`,
    );
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      if (player) document.querySelector('p')?.before(player);
    });
    await page.getByRole('region', { name: 'A name' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await focusedName()).toBe('play');
    await page.keyboard.press('Tab');
    await page.locator('a:focus').waitFor();
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await page.getByRole('switch', { name: 'closed captions' }).waitFor();
  });

  test('takes another shape, and then its own again.', async () => {
    await visit(fixture.embedCode(talk, { 'aspect-ratio': '4/1' }));
    const height = async () => (await page.locator('vod-player').boundingBox())?.height ?? 0;
    const low = await height();
    await page.evaluate(() =>
      document.querySelector('vod-player')?.removeAttribute('aspect-ratio'),
    );
    expect(await height()).toBeGreaterThan(2 * low);
  });

  test('asks for its poster by CORS also where it is told of the video last.', async () => {
    await visit(fixture.embedCode('', { poster: poster() }), {
      headers: { 'referrer-policy': 'no-referrer' },
    });
    const src = `${fixture.edge.origin}/${talk.playlist}`;
    const answer = page.waitForResponse((one) => one.url() === poster() && one.ok());
    await page.evaluate((to) => document.querySelector('vod-player')?.setAttribute('src', to), src);
    await answer;
  });

  test('shows no broken picture where the poster is not there.', async () => {
    await visit(fixture.embedCode(talk, { poster: `${fixture.edge.origin}/v/gone.jpg` }));
    await page.waitForFunction(
      () => !document.querySelector('vod-player')?.shadowRoot?.querySelector('.poster img'),
    );
    expect(fixture.answered.toSorted()).toEqual([`200 ${talk.playlist}`, '403 v/gone.jpg']);
  });

  test('keeps its place from the poster to the end.', async () => {
    await visit(
      `<div>${fixture.embedCode(talk, { poster: poster() })}</div><p id="below">Below</p>`,
      {
        head: `<link rel="stylesheet" href="${fixture.edge.origin}/player/pages.css">`,
      },
    );
    const top = () => page.locator('#below').evaluate((one) => one.getBoundingClientRect().top);
    const before = await top();
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(await top()).toBe(before);
  });
});

function isShown(image: Element): boolean {
  return image instanceof HTMLImageElement && image.complete && image.naturalWidth > 0;
}

async function hoverSeekBar(): Promise<void> {
  await page.locator('vod-media-time-range').hover();
  await page.waitForFunction(() => {
    const bar = document
      .querySelector('vod-player')
      ?.shadowRoot?.querySelector('vod-media-time-range');
    const image = bar?.shadowRoot
      ?.querySelector('vod-media-preview-thumbnail')
      ?.shadowRoot?.querySelector('img');
    return image && image.naturalWidth > 0 && image.getBoundingClientRect().width > 0;
  });
}

describe('Its controls', () => {
  test('show a picture of the moment under the pointer.', async () => {
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    expect(fixture.answered.some((line) => line.includes('storyboard-'))).toBe(false);
    await hoverSeekBar();
    expect(fixture.answered.some((line) => line.includes('storyboard-0.jpg'))).toBe(true);
    const time = page.locator('vod-media-preview-time-display');
    expect(await time.evaluate((one) => one.checkVisibility({ visibilityProperty: true }))).toBe(
      true,
    );
  });

  test('offer every rendition, and keep the one that was chosen.', async () => {
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await button('settings').click();
    await page.getByRole('menuitem', { name: 'Quality' }).click();
    const items = page.locator('vod-media-rendition-menu').getByRole('menuitemradio');
    await items.first().waitFor();
    expect(await items.allTextContents()).toEqual([
      '360p',
      '234p',
      expect.stringMatching(/^Auto \((360|234)p\)$/),
    ]);
    await items.nth(1).click();
    await page.waitForFunction(
      () => document.querySelector('vod-player')?.video.videoHeight === 234,
    );
  });

  test('offer every sound.', async () => {
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await button('settings').click();
    await page.getByRole('menuitem', { name: 'Sound' }).click();
    const items = page.locator('vod-media-audio-track-menu').getByRole('menuitemradio');
    await items.first().waitFor();
    expect(await items.allTextContents()).toEqual(talk.audio.map(({ label }) => label));
    const second = page.waitForResponse((answer) => answer.url().includes('/audio-1/0'));
    await items.nth(1).click();
    expect((await second).status()).toBe(200);
  });

  test('change the speed.', async () => {
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await button('settings').click();
    await page.getByRole('menuitem', { name: 'Speed' }).click();
    await page.getByRole('menuitemradio', { name: '1.5x' }).click();
    await page.waitForFunction(
      () => document.querySelector('vod-player')?.video.playbackRate === 1.5,
    );
  });

  test('fill the screen, and give it back.', async () => {
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await button('enter fullscreen mode').click();
    await page.waitForFunction(() => document.fullscreenElement?.localName === 'vod-player');
    expect(await page.locator('video').boundingBox()).toMatchObject({ width: 1280, height: 800 });
    await page.keyboard.press('f');
    await page.waitForFunction(() => document.fullscreenElement === null);
  });

  test('show captions that the page gives.', async () => {
    const body = 'WEBVTT\n\n00:00:00.000 --> 00:00:20.000\nWhat is said.\n';
    const src = fixture.site.file('/en.vtt', { type: 'text/vtt', body });
    await visit(
      fixture.embedCode(
        talk,
        {},
        `<track kind="captions" src="${src}" srclang="en" label="English">`,
      ),
    );
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await page.getByRole('switch', { name: 'closed captions' }).click();
    await captionIs('What is said.');
    expect(complaints).toEqual([]);
  });

  test('are worked with the keyboard alone.', async () => {
    await visit(fixture.embedCode(talk));
    await tabTo('play');
    await page.keyboard.press('Enter');
    await waitUntilPlayed(page, 0.5);
    await page.keyboard.press('Space');
    await page.waitForFunction(() => document.querySelector('vod-player')?.video.paused);
    const before = await currentTime();
    await page.keyboard.press('ArrowRight');
    await waitUntilPlayed(page, before + 9);
    await page.keyboard.press('k');
    await page.waitForFunction(() => !document.querySelector('vod-player')?.video.paused);
    await tabTo('settings');
    await page.keyboard.press('Enter');
    await page.locator('vod-media-settings-menu-item:focus').first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('vod-media-playback-rate-menu vod-media-chrome-menu-item:focus').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('vod-media-settings-menu-item:focus').first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('menuitem', { name: 'Quality' }).waitFor({ state: 'hidden' });
    expect(await focusedName()).toContain('settings');
  });

  test('have the keyboard go to what there is for the video, and past what is not.', async () => {
    // A single rendition without sound: no choice of quality, sounds or captions.
    await visit(fixture.embedCode(tall));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await button('settings').focus();
    await page.keyboard.press('Enter');
    const speed = page.getByRole('menuitem', { name: 'Speed' });
    for (const key of ['ArrowDown', 'ArrowUp', 'End']) {
      await speed.and(page.locator(':focus')).waitFor();
      await page.keyboard.press(key);
    }
    await speed.and(page.locator(':focus')).waitFor();
  });

  test('show subtitles that the playlist has.', async () => {
    const type = 'application/vnd.apple.mpegurl';
    fixture.site.file('/said.vtt', {
      ...{ type: 'text/vtt', body: 'WEBVTT\n\n00:00:00.000 --> 00:00:20.000\nGesagt.\n' },
    });
    fixture.site.file('/said.m3u8', {
      ...{
        type,
        body: `#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:20,\nsaid.vtt\n#EXT-X-ENDLIST\n`,
      },
    });
    const video = versionKey(talk.assetId, talk.version, playlistPath('360p'));
    const src = fixture.site.file('/subtitled.m3u8', {
      type,
      body: `#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Deutsch",LANGUAGE="de",URI="said.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=900000,SUBTITLES="s"\n${fixture.edge.origin}/${video}\n`,
    });
    await page.goto(fixture.site.page(fixture.embedCode(src)));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await page.getByRole('switch', { name: 'closed captions' }).click();
    await captionIs('Gesagt.');
  });

  test('show where the focus is.', async () => {
    await visit(fixture.embedCode(talk));
    await tabTo('play');
    await page.keyboard.press('Enter');
    await waitUntilPlayed(page, 0.2);
    const shadow = page.locator('.play').evaluate((one) => getComputedStyle(one).boxShadow);
    expect(await shadow).toContain('rgb(255, 255, 255)');
  });
});

/** Waits until the first track is shown, and says that just now. */
async function captionIs(text: string): Promise<void> {
  await page.waitForFunction((said) => {
    const [track] = document.querySelector('vod-player')?.video.textTracks ?? [];
    const [cue] = track?.mode === 'showing' ? (track.activeCues ?? []) : [];
    return cue instanceof VTTCue && cue.text === said;
  }, text);
}

/** Presses Tab until something of that label has the focus. */
async function tabTo(label: string): Promise<void> {
  while (!(await focusedName()).includes(label)) {
    // After the next frame: Chromium may drop the keys that come before a page is first painted.
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await page.keyboard.press('Tab');
  }
}

/** The label of what has the focus, in whatever shadow it is. */
function focusedName(): Promise<string> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.getAttribute('aria-label') ?? '';
  });
}

describe('The quality', () => {
  test('is no better than the place is large.', async () => {
    await visit(`<div class="small">${fixture.embedCode(talk)}</div>`, {
      head: `<link rel="stylesheet" href="${fixture.site.file('/small.css', { type: 'text/css', body: '.small{width:320px}' })}">`,
      headers: { 'content-security-policy': `${policy()}; style-src 'self'` },
    });
    await pressStart(page);
    await waitUntilPlayed(page, 3);
    expect(fixture.answered.some((line) => line.includes('/234p/'))).toBe(true);
    expect(fixture.answered.filter((line) => line.includes('/360p/0'))).toEqual([]);
  });
});

describe('The position', () => {
  const leaveAt = async (seconds: number, attributes = {}) => {
    await visit(fixture.embedCode(talk, attributes));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await seek(page, seconds);
    await waitUntilPlayed(page, seconds);
    await page.reload({ waitUntil: 'networkidle' });
    await pressStart(page);
    await page.waitForFunction(
      () => (document.querySelector('vod-player')?.video.readyState ?? 0) > 2,
    );
    return currentTime();
  };

  test('is that where the viewer left.', async () => {
    expect(await leaveAt(9)).toBeGreaterThanOrEqual(9);
    // 206 for what the browser had begun to fetch when the page was left. The pointer alone is asked for
    // again, and is the same where its ten seconds are over: how fast the machine is decides which.
    const right = /^20[06] /;
    const samePointer = `304 ${talk.playlist}`;
    const wrong = fixture.answered.filter((line) => !right.test(line) && line !== samePointer);
    expect(wrong).toEqual([]);
  });

  test('is the beginning for who was at the end.', async () => {
    expect(await leaveAt(SECONDS - 1)).toBeLessThan(2);
  });

  test('is the beginning where it is not to be remembered.', async () => {
    expect(await leaveAt(9, { 'forget-position': '' })).toBeLessThan(2);
  });

  test('is not missed where the browser keeps nothing.', async () => {
    await page.addInitScript(() => {
      Object.defineProperty(window, 'localStorage', {
        get: () => {
          throw new DOMException('The operation is insecure.', 'SecurityError');
        },
      });
    });
    expect(await leaveAt(9)).toBeLessThan(2);
    expect(complaints).toEqual([]);
  });
});

describe('What is wrong', () => {
  const EMPTY = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:VOD\n';
  const noise = () => ({ type: 'video/mp2t', body: 'This is no video. '.repeat(2000) });

  test('is said: the site may not show it.', async () => {
    const statuses: number[] = [];
    page.on('response', (answer) => {
      if (answer.url().includes('/v/')) statuses.push(answer.status());
    });
    await page.goto(fixture.foreignSite.page(fixture.embedCode(talk)), {
      waitUntil: 'networkidle',
    });
    await pressStart(page);
    expect(await problem()).toBe(
      'This site may not show the video. Open it on the site that it belongs to.',
    );
    expect(new Set(statuses)).toEqual(new Set([403]));
  });

  test('is said: its address has expired.', async () => {
    const key = 'a key of the length that a key has, here';
    const guarded = await openFixture([key]);
    const address = `${guarded.edge.origin}/${talk.playlist}`;
    const src = signAddress(address, key, 3600, new Date(Date.now() - 7_200_000));
    await page.goto(guarded.site.page(guarded.embedCode(src)));
    await pressStart(page);
    expect(await problem()).toBe(
      'The address of this video has expired. Reload the page to get a new one.',
    );
    expect(guarded.answered.every((line) => line.startsWith('410 t/'))).toBe(true);
    await guarded.close();
  });

  test('is said, also to the page: it is not there.', async () => {
    await visit(fixture.embedCode(`${fixture.edge.origin}/v/ffffffffffffffffffff/index.m3u8`));
    await page.evaluate(() => {
      document.querySelector('vod-player')?.addEventListener('problem', (event) => {
        document.title = event instanceof CustomEvent ? JSON.stringify(event.detail) : '';
      });
    });
    await pressStart(page);
    expect(await problem()).toBe('This video is no longer available.');
    expect(JSON.parse(await page.title())).toEqual({
      why: 'missing',
      sentence: 'This video is no longer available.',
    });
  });

  test('is said: there is no connection; and it plays when there is one.', async () => {
    await visit(fixture.embedCode(talk, { preload: 'none' }));
    await page.context().setOffline(true);
    await pressStart(page);
    expect(await problem()).toBe(
      'The video cannot be reached. Check the connection, then press play again.',
    );
    await page.context().setOffline(false);
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(await page.locator('.problem').textContent()).toBe('');
  });

  test('is said: it cannot be played.', async () => {
    fixture.site.file('/noise.ts', noise());
    const src = fixture.site.file('/noise.m3u8', {
      type: 'application/vnd.apple.mpegurl',
      body: `${EMPTY}#EXTINF:6,\nnoise.ts\n#EXT-X-ENDLIST\n`,
    });
    await page.goto(fixture.site.page(fixture.embedCode(src)));
    await pressStart(page);
    expect(await problem()).toBe(
      'The video cannot be played here. Press play to try again, or try another browser.',
    );
  });

  test('is said: what is there is no playlist.', async () => {
    const src = fixture.site.file('/no.m3u8', {
      type: 'text/html',
      body: 'Sign in to the network',
    });
    await page.goto(fixture.site.page(fixture.embedCode(src)));
    await pressStart(page);
    expect(await problem()).toBe(
      'The video cannot be played here. Press play to try again, or try another browser.',
    );
  });

  test('is said: the browser is too old.', async () => {
    await page.addInitScript(() => {
      for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']) {
        Object.defineProperty(window, name, { value: undefined });
      }
      HTMLMediaElement.prototype.canPlayType = () => '';
    });
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    expect(await problem()).toBe('This browser cannot play the video. Try a newer one.');
    expect(complaints).toEqual([]);
  });

  test.each(['', 'http://[no'])('is said: the page names no video, by "%s".', async (src) => {
    await visit(fixture.embedCode(src));
    await pressStart(page);
    expect(await problem()).toBe(
      'This player has no video: its src is missing or is not a valid address.',
    );
  });
});

test("Where hls.js cannot play, the browser's own engine does, from where the viewer left.", async () => {
  await page.addInitScript(() =>
    Object.defineProperty(window, 'MediaSource', { value: undefined }),
  );
  const storyboard = `${fixture.edge.origin}/${talk.storyboard ?? ''}`;
  await visit(fixture.embedCode(talk, { storyboard }));
  expect(fixture.answered.toSorted()).toEqual(beforePlay());
  await pressStart(page);
  await waitUntilPlayed(page, 0.2);
  await hoverSeekBar();
  await seek(page, 9);
  await waitUntilPlayed(page, 9);
  await page.reload({ waitUntil: 'networkidle' });
  await pressStart(page);
  await waitUntilPlayed(page, 9);
  expect(await firstPlayedSecond(page)).toBeGreaterThan(8.5);
});

describe('Sound alone', () => {
  test('plays, beside a note, and offers no qualities.', async () => {
    await visit(fixture.embedCode(song));
    await button('play').click();
    await waitUntilPlayed(page, 0.5);
    const shown = page.locator('.poster').evaluate((one) => one.getBoundingClientRect().height);
    expect(await shown).toBeGreaterThan(100);
    await button('settings').click();
    await page.getByRole('menuitem', { name: 'Speed' }).waitFor();
    await page.getByRole('menuitem', { name: 'Quality' }).waitFor({ state: 'hidden' });
    expect(complaints).toEqual([]);
  });
});

describe('A portrait', () => {
  test('takes the place that the page gives it, and is never higher than the window.', async () => {
    await visit(fixture.embedCode(tall, { 'aspect-ratio': '9/16' }));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    const box = await page.locator('vod-player').boundingBox();
    expect(box).toMatchObject({ height: 680, width: (680 * 9) / 16 });
    const size = page.evaluate(() => {
      const { video } = document.querySelector('vod-player') ?? {};
      return [video?.videoWidth, video?.videoHeight];
    });
    expect(await size).toEqual([180, 320]);
  });
});

describe('Nothing is in the way of people with other means, as axe sees it,', () => {
  test('before the first press.', async () => {
    await visit(`<main><h1>A page</h1>${fixture.embedCode(talk, { poster: poster() })}</main>`);
    expect(await violations(page)).toEqual([]);
  });

  test('while it plays, and with each menu open.', async () => {
    const track = '<track kind="captions" src="/none.vtt" srclang="en" label="English">';
    await visit(`<main><h1>A page</h1>${fixture.embedCode(talk, {}, track)}</main>`);
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(await violations(page)).toEqual([]);
    await button('settings').click();
    await page.getByRole('menuitem', { name: 'Quality' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByRole('menuitem', { name: 'Quality' }).click();
    await page.getByRole('menuitemradio', { name: '234p', exact: true }).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test.each([1280, 240, 160])('while it is paused, and at its end, %d px wide.', async (width) => {
    await page.setViewportSize({ width, height: 480 });
    await visit(`<main><h1>A page</h1>${fixture.embedCode(talk)}</main>`);
    expect(await violations(page)).toEqual([]);
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await page.keyboard.press('k');
    await page.waitForFunction(() => document.querySelector('vod-player')?.paused);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('k');
    await page.keyboard.press('End');
    await page.waitForFunction(() => document.querySelector('vod-player')?.ended);
    expect(await violations(page)).toEqual([]);
  });

  test('when something is wrong.', async () => {
    await visit(`<main><h1>A page</h1>${fixture.embedCode('')}</main>`);
    await pressStart(page);
    await problem();
    expect(await violations(page)).toEqual([]);
  });
});
