import { describe, expect, test } from 'vitest';
import type { ReadyEvent } from '../../core/model/asset.ts';
import { playlistPath, versionKey } from '../../core/model/keys.ts';
import { signAddress } from '../../edge/playback-token.ts';
import { clip, make } from '../e2e/clips.ts';
import { violations } from './axe.ts';
import { documentedPolicy } from './documented-policy.ts';
import { openFixture } from './fixture.ts';
import {
  consoleErrors,
  currentTime,
  fixture,
  page,
  setUpPlayerTests,
  visit,
  visitAndPlay,
} from './player-tests.ts';
import { firstPlayedSecond, pressStart, seek, waitUntilPlayed } from './viewer.ts';

/** Covers playback, the controls and problems. Slow, as videos play at their own speed. */

const TITLE = 'A talk: "#2, 4" & <b>강의</b>';
const SECONDS = 20;

let talk: ReadyEvent;
let song: ReadyEvent;
let tall: ReadyEvent;

setUpPlayerTests(async () => {
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
});

const policy = () => documentedPolicy(fixture.edge.origin);
const poster = () => `${fixture.edge.origin}/${talk.poster ?? ''}`;
/** The responses before playback: the playlist and the poster that it names. */
const beforePlay = () => [`200 ${talk.playlist}`, `200 ${talk.poster ?? ''}`].toSorted();
const start = () => page.locator('.start');
const button = (name: string) => page.getByRole('button', { name, exact: true });

/** Waits for the sentence about a problem. */
async function problem(): Promise<string | null> {
  const alert = page.getByRole('alert').filter({ hasText: /./ });
  await alert.waitFor();
  return alert.textContent();
}

describe('playback', () => {
  test('The player fetches no media at first, then plays, seeks and plays to the end', async () => {
    await visit(fixture.embedCode(talk, { poster: poster() }));
    expect(fixture.responses.toSorted()).toEqual(beforePlay());
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
    expect(fixture.responses.filter((line) => !/^20[06] /.test(line))).toEqual([]);
    expect(consoleErrors).toEqual([]);
  });

  test('The player and its pictures work on a page that sends no Referer', async () => {
    const headers = { 'referrer-policy': 'no-referrer' };
    await visit(fixture.embedCode(talk, { poster: poster() }), { headers });
    expect(await page.locator('.poster img').evaluate(isShown)).toBe(true);
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    await hoverSeekBar();
    expect(fixture.responses.filter((line) => !/^20[06] /.test(line))).toEqual([]);
    expect(consoleErrors).toEqual([]);
  });

  test('Segments are demultiplexed in a worker, or in the main thread if the page allows no worker', async () => {
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(page.workers().map((worker) => worker.url())).toEqual([expect.stringMatching(/^blob:/)]);
    expect(consoleErrors).toEqual([]);
    await visit(fixture.embedCode(talk), {
      headers: { 'content-security-policy': policy().replace('worker-src blob:', '') },
    });
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(page.workers()).toEqual([]);
  });

  test('The accessible name is the title attribute or the title of the video, as text', async () => {
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

  test('The page can listen to events, play and pause', async () => {
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

  /** Calls play() when the page has loaded. page.evaluate() would count as an interaction of the viewer. */
  const playOnLoad = async (script = '') => {
    await page.addInitScript(`${script}
      addEventListener('load', async () => {
        await customElements.whenDefined('vod-player');
        document.title = await document.querySelector('vod-player').play();
      })`);
    await visit(fixture.embedCode(talk));
    await page.waitForFunction(() => ['true', 'false'].includes(document.title));
    return page.title();
  };

  test('play() resolves to false without an interaction, and the start button then works', async () => {
    expect(await playOnLoad()).toBe('false');
    await start().waitFor();
    expect(fixture.responses.toSorted()).toEqual(beforePlay());
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    await start().waitFor({ state: 'hidden' });
    expect(consoleErrors).toEqual([]);
  });

  test('play() resolves to false if the browser refuses playback', async () => {
    const activation = `Object.defineProperty(navigator, 'userActivation', { value: { hasBeenActive: true } });`;
    expect(await playOnLoad(activation)).toBe('false');
    await start().waitFor();
    expect(consoleErrors).toEqual([]);
  });

  test('A muted player plays without an interaction', async () => {
    const muted = `customElements.whenDefined('vod-player').then(() => {
        document.querySelector('vod-player').video.muted = true;
      });`;
    expect(await playOnLoad(muted)).toBe('true');
    await waitUntilPlayed(page, 0.2);
  });

  test('A player that is removed from the page stops, and plays again when it is added', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    await page.evaluate(() => {
      const player = document.querySelector('vod-player');
      player?.remove();
      if (player) document.body.append(player);
    });
    await start().waitFor();
    await pressStart(page);
    await waitUntilPlayed(page, 0.5);
    expect(consoleErrors).toEqual([]);
  });

  test('A player that is moved within the page keeps its name, focus order and captions', async () => {
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

  test('Removing aspect-ratio restores the default', async () => {
    await visit(fixture.embedCode(talk, { 'aspect-ratio': '4/1' }));
    const height = async () => (await page.locator('vod-player').boundingBox())?.height ?? 0;
    const low = await height();
    await page.evaluate(() =>
      document.querySelector('vod-player')?.removeAttribute('aspect-ratio'),
    );
    expect(await height()).toBeGreaterThan(2 * low);
  });

  test('The poster is fetched by CORS even if src is set after poster', async () => {
    await visit(fixture.embedCode('', { poster: poster() }), {
      headers: { 'referrer-policy': 'no-referrer' },
    });
    const src = `${fixture.edge.origin}/${talk.playlist}`;
    const answer = page.waitForResponse((one) => one.url() === poster() && one.ok());
    await page.evaluate((to) => document.querySelector('vod-player')?.setAttribute('src', to), src);
    await answer;
  });

  test('A poster that is missing leaves no broken image', async () => {
    await visit(fixture.embedCode(talk, { poster: `${fixture.edge.origin}/v/gone.jpg` }));
    await page.waitForFunction(
      () => !document.querySelector('vod-player')?.shadowRoot?.querySelector('.poster img'),
    );
    expect(fixture.responses.toSorted()).toEqual([`200 ${talk.playlist}`, '403 v/gone.jpg']);
  });

  test('Starting playback causes no layout shift', async () => {
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

describe('the controls', () => {
  test('The seek bar shows a thumbnail of the position under the pointer', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    expect(fixture.responses.some((line) => line.includes('storyboard-'))).toBe(false);
    await hoverSeekBar();
    expect(fixture.responses.some((line) => line.includes('storyboard-0.jpg'))).toBe(true);
    const time = page.locator('vod-media-preview-time-display');
    expect(await time.evaluate((one) => one.checkVisibility({ visibilityProperty: true }))).toBe(
      true,
    );
  });

  test('The quality menu offers every rendition and selects one', async () => {
    await visitAndPlay(fixture.embedCode(talk));
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

  test('The sound menu offers every audio track and selects one', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    await button('settings').click();
    await page.getByRole('menuitem', { name: 'Sound' }).click();
    const items = page.locator('vod-media-audio-track-menu').getByRole('menuitemradio');
    await items.first().waitFor();
    expect(await items.allTextContents()).toEqual(talk.audio.map(({ label }) => label));
    const second = page.waitForResponse((answer) => answer.url().includes('/audio-1/0'));
    await items.nth(1).click();
    expect((await second).status()).toBe(200);
  });

  test('The speed menu changes the speed', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    await button('settings').click();
    await page.getByRole('menuitem', { name: 'Speed' }).click();
    await page.getByRole('menuitemradio', { name: '1.5x' }).click();
    await page.waitForFunction(
      () => document.querySelector('vod-player')?.video.playbackRate === 1.5,
    );
  });

  test('The player enters and leaves full screen', async () => {
    await visitAndPlay(fixture.embedCode(talk));
    await button('enter fullscreen mode').click();
    await page.waitForFunction(() => document.fullscreenElement?.localName === 'vod-player');
    expect(await page.locator('video').boundingBox()).toMatchObject({ width: 1280, height: 800 });
    await page.keyboard.press('f');
    await page.waitForFunction(() => document.fullscreenElement === null);
  });

  test('The player shows captions from a track element', async () => {
    const body = 'WEBVTT\n\n00:00:00.000 --> 00:00:20.000\nWhat is said.\n';
    const src = fixture.site.file('/en.vtt', { type: 'text/vtt', body });
    await visitAndPlay(
      fixture.embedCode(
        talk,
        {},
        `<track kind="captions" src="${src}" srclang="en" label="English">`,
      ),
    );
    await page.getByRole('switch', { name: 'closed captions' }).click();
    await captionIs('What is said.');
    expect(consoleErrors).toEqual([]);
  });

  test('All controls work with the keyboard', async () => {
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

  test('The arrow keys skip menu items that the video does not need', async () => {
    // One rendition and one audio track, so the only choice is the speed.
    await visitAndPlay(fixture.embedCode(tall));
    await button('settings').focus();
    await page.keyboard.press('Enter');
    const speed = page.getByRole('menuitem', { name: 'Speed' });
    for (const key of ['ArrowDown', 'ArrowUp', 'End']) {
      await speed.and(page.locator(':focus')).waitFor();
      await page.keyboard.press(key);
    }
    await speed.and(page.locator(':focus')).waitFor();
  });

  test('The player shows subtitles of the playlist', async () => {
    const type = 'application/vnd.apple.mpegurl';
    fixture.site.file('/said.vtt', {
      type: 'text/vtt',
      body: 'WEBVTT\n\n00:00:00.000 --> 00:00:20.000\nGesagt.\n',
    });
    fixture.site.file('/said.m3u8', {
      type,
      body: '#EXTM3U\n#EXT-X-TARGETDURATION:20\n#EXTINF:20,\nsaid.vtt\n#EXT-X-ENDLIST\n',
    });
    const video = versionKey(talk.assetId, talk.version, playlistPath('360p'));
    const src = fixture.site.file('/subtitled.m3u8', {
      type,
      body: [
        '#EXTM3U',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Deutsch",LANGUAGE="de",URI="said.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,SUBTITLES="s"',
        `${fixture.edge.origin}/${video}`,
        '',
      ].join('\n'),
    });
    await page.goto(fixture.site.page(fixture.embedCode(src)));
    await pressStart(page);
    await waitUntilPlayed(page, 0.2);
    await page.getByRole('switch', { name: 'closed captions' }).click();
    await captionIs('Gesagt.');
  });

  test('A focused control has a visible outline', async () => {
    await visit(fixture.embedCode(talk));
    await tabTo('play');
    await page.keyboard.press('Enter');
    await waitUntilPlayed(page, 0.2);
    const shadow = page.locator('.play').evaluate((one) => getComputedStyle(one).boxShadow);
    expect(await shadow).toContain('rgb(255, 255, 255)');
  });
});

/** Waits until the first text track is showing and its active cue is the text. */
async function captionIs(text: string): Promise<void> {
  await page.waitForFunction((said) => {
    const [track] = document.querySelector('vod-player')?.video.textTracks ?? [];
    const [cue] = track?.mode === 'showing' ? (track.activeCues ?? []) : [];
    return cue instanceof VTTCue && cue.text === said;
  }, text);
}

/** Presses Tab until an element with the label has the focus. */
async function tabTo(label: string): Promise<void> {
  while (!(await focusedName()).includes(label)) {
    // Chromium may drop keys that are pressed before the first paint.
    await page.evaluate(() => new Promise(requestAnimationFrame));
    await page.keyboard.press('Tab');
  }
}

/** The label of the focused element, in whatever shadow root it is. */
function focusedName(): Promise<string> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.getAttribute('aria-label') ?? '';
  });
}

describe('the quality', () => {
  test('The rendition is no larger than the player', async () => {
    await visit(`<div class="small">${fixture.embedCode(talk)}</div>`, {
      head: `<link rel="stylesheet" href="${fixture.site.file('/small.css', { type: 'text/css', body: '.small{width:320px}' })}">`,
      headers: { 'content-security-policy': `${policy()}; style-src 'self'` },
    });
    await pressStart(page);
    await waitUntilPlayed(page, 3);
    expect(fixture.responses.some((line) => line.includes('/234p/'))).toBe(true);
    expect(fixture.responses.filter((line) => line.includes('/360p/0'))).toEqual([]);
  });
});

describe('the saved position', () => {
  const reopenAfterLeavingAt = async (seconds: number, attributes = {}) => {
    await visitAndPlay(fixture.embedCode(talk, attributes));
    await seek(page, seconds);
    await waitUntilPlayed(page, seconds);
    await page.reload({ waitUntil: 'networkidle' });
    await pressStart(page);
    await page.waitForFunction(
      () => (document.querySelector('vod-player')?.video.readyState ?? 0) > 2,
    );
    return currentTime();
  };

  test('Playback resumes where the viewer left the page', async () => {
    expect(await reopenAfterLeavingAt(9)).toBeGreaterThanOrEqual(9);
    // 206 for what the browser was fetching when the page was left. 304 for the pointer if it was cached for more than
    // its ten seconds, which depends on the speed of the machine.
    const unexpected = fixture.responses.filter(
      (line) => !/^20[06] /.test(line) && line !== `304 ${talk.playlist}`,
    );
    expect(unexpected).toEqual([]);
  });

  test('Playback starts over after the viewer has reached the end', async () => {
    expect(await reopenAfterLeavingAt(SECONDS - 1)).toBeLessThan(2);
  });

  test('Playback starts over with forget-position', async () => {
    expect(await reopenAfterLeavingAt(9, { 'forget-position': '' })).toBeLessThan(2);
  });

  test('Playback starts over if the browser blocks localStorage', async () => {
    await page.addInitScript(() => {
      Object.defineProperty(window, 'localStorage', {
        get: () => {
          throw new DOMException('The operation is insecure.', 'SecurityError');
        },
      });
    });
    expect(await reopenAfterLeavingAt(9)).toBeLessThan(2);
    expect(consoleErrors).toEqual([]);
  });
});

describe('problems', () => {
  const EMPTY = '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:VOD\n';
  const noise = () => ({ type: 'video/mp2t', body: 'This is no video. '.repeat(2000) });

  test('The player says that the site may not show the video', async () => {
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

  test('The player says that the address has expired', async () => {
    const key = 'a key of the length that a key has, here';
    const guarded = await openFixture([key]);
    const address = `${guarded.edge.origin}/${talk.playlist}`;
    const src = signAddress(address, key, 3600, new Date(Date.now() - 7_200_000));
    await page.goto(guarded.site.page(guarded.embedCode(src)));
    await pressStart(page);
    expect(await problem()).toBe(
      'The address of this video has expired. Reload the page to get a new one.',
    );
    expect(guarded.responses.every((line) => line.startsWith('410 t/'))).toBe(true);
    await guarded.close();
  });

  test('The player tells the viewer and the page that the video is missing', async () => {
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

  test('The player says that there is no connection, and plays once there is one', async () => {
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

  test('The player says that a video with invalid segments cannot be played', async () => {
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

  test('The player says that a video without a valid playlist cannot be played', async () => {
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

  test('The player says that the browser is too old', async () => {
    await page.addInitScript(() => {
      for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']) {
        Object.defineProperty(window, name, { value: undefined });
      }
      HTMLMediaElement.prototype.canPlayType = () => '';
    });
    await visit(fixture.embedCode(talk));
    await pressStart(page);
    expect(await problem()).toBe('This browser cannot play the video. Try a newer one.');
    expect(consoleErrors).toEqual([]);
  });

  test.each(['', 'http://[no'])('The player says that the src "%s" names no video', async (src) => {
    await visit(fixture.embedCode(src));
    await pressStart(page);
    expect(await problem()).toBe(
      'This player has no video: its src is missing or is not a valid address.',
    );
  });
});

test("Without Media Source Extensions, the browser's own engine plays and resumes", async () => {
  await page.addInitScript(() =>
    Object.defineProperty(window, 'MediaSource', { value: undefined }),
  );
  const storyboard = `${fixture.edge.origin}/${talk.storyboard ?? ''}`;
  await visit(fixture.embedCode(talk, { storyboard }));
  expect(fixture.responses.toSorted()).toEqual(beforePlay());
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

describe('sound only', () => {
  test('A player without video shows a note and offers no quality menu', async () => {
    await visit(fixture.embedCode(song));
    await button('play').click();
    await waitUntilPlayed(page, 0.5);
    const shown = page.locator('.poster').evaluate((one) => one.getBoundingClientRect().height);
    expect(await shown).toBeGreaterThan(100);
    await button('settings').click();
    await page.getByRole('menuitem', { name: 'Speed' }).waitFor();
    await page.getByRole('menuitem', { name: 'Quality' }).waitFor({ state: 'hidden' });
    expect(consoleErrors).toEqual([]);
  });
});

describe('a portrait video', () => {
  test('A player has the aspect ratio of the page and is never higher than the window', async () => {
    await visitAndPlay(fixture.embedCode(tall, { 'aspect-ratio': '9/16' }));
    const box = await page.locator('vod-player').boundingBox();
    expect(box).toMatchObject({ height: 680, width: (680 * 9) / 16 });
    const size = page.evaluate(() => {
      const { video } = document.querySelector('vod-player') ?? {};
      return [video?.videoWidth, video?.videoHeight];
    });
    expect(await size).toEqual([180, 320]);
  });
});

describe('accessibility', () => {
  test('axe finds no violations before playback', async () => {
    await visit(`<main><h1>A page</h1>${fixture.embedCode(talk, { poster: poster() })}</main>`);
    expect(await violations(page)).toEqual([]);
  });

  test('axe finds no violations during playback and with an open menu', async () => {
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

  test.each([1280, 240, 160])(
    'axe finds no violations in a player %d px wide that is paused or has ended',
    async (width) => {
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
    },
  );

  test('axe finds no violations while a problem is shown', async () => {
    await visit(`<main><h1>A page</h1>${fixture.embedCode('')}</main>`);
    await pressStart(page);
    await problem();
    expect(await violations(page)).toEqual([]);
  });
});
