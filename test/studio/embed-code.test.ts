import { expect, test } from 'vitest';
import { embedCode } from '../../studio/server/embed-code.ts';

const ORIGIN = 'https://videos.example';
const asset = { playlist: 'v/1/index.m3u8', renditions: [] };
const SCRIPT = `<script type="module" src="${ORIGIN}/player/vod-player.js"></script>`;

test('The embed code has two lines, without title and poster', () => {
  expect(embedCode(ORIGIN, asset).split('\n')).toEqual([
    SCRIPT,
    `<vod-player src="${ORIGIN}/v/1/index.m3u8"></vod-player>`,
  ]);
});

test.each([
  ['1920x1080', { width: 1920, height: 1080 }, ''],
  ['about 16:9', { width: 416, height: 234 }, ''],
  ['a phone held upright', { width: 720, height: 1280 }, ' aspect-ratio="720/1280"'],
  ['4:3', { width: 960, height: 720 }, ' aspect-ratio="960/720"'],
])('The embed code has an aspect ratio unless the picture is 16:9: %s', (_about, one, wanted) => {
  const [, player] = embedCode(ORIGIN, { ...asset, renditions: [one] }).split('\n');
  expect(player).toMatch(new RegExp(`m3u8"${wanted}></vod-player>$`));
});
