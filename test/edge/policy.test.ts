import { expect, test } from 'vitest';
import { policyFor } from '../../edge/local/delivery.ts';

const token = `/t/1795665600.${'x'.repeat(43)}`;

test.each([
  ['/v/0123456789abcdef0123/index.m3u8', 'pointer'],
  [`${token}/v/0123456789abcdef0123/index.m3u8`, 'pointer'],
  ['/v/0123456789abcdef0123/fedcba98/720p/index.m3u8', 'versions'],
  [`${token}/v/0123456789abcdef0123/fedcba98/720p/index.m3u8`, 'versions'],
  ['/v/0123456789abcdef0123/fedcba98/720p/00000.ts', 'versions'],
  [`${token}/v/0123456789abcdef0123/fedcba98/720p/00000.ts`, 'versions'],
  ['/v/0123456789abcdef0123/index-m3u8', 'versions'],
  ['/player/vod-player.js', 'player'],
  ['/x/player/vod-player.js', 'versions'],
])('%s is kept as one of %s', (path, policy) => {
  expect(policyFor(path)).toBe(policy);
});
