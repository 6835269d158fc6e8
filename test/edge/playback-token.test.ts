import { expect, test } from 'vitest';
import { requestWith } from '../../edge/event.ts';
import { loadEdgeFunction } from '../../edge/local/edge-function.ts';
import { signAddress } from '../../edge/playback-token.ts';
import { viewerRequestSource } from '../../edge/source.ts';

const ASSET = '0123456789abcdef0123';
const ADDRESS = `https://cdn.example/v/${ASSET}/index.m3u8`;
const KEY = 'a key';
const NOW = new Date('2026-11-26T00:00:00.900Z');

test('The signature covers the expiry and the asset', () => {
  // printf '1795665600/v/0123456789abcdef0123/' | openssl dgst -sha256 -hmac 'a key' -binary | basenc --base64url
  expect(signAddress(ADDRESS, KEY, 4 * 3600, NOW)).toBe(
    `https://cdn.example/t/1795665600.DlaNUAF2rXlweBEF6ruQU_RZd5N0zfY0IjIdaJhxTkk/v/${ASSET}/index.m3u8`,
  );
});

test('A signed address opens its asset until it expires, also without context', () => {
  const address = new URL(signAddress(ADDRESS, KEY, 60, NOW));
  let now = NOW.getTime();
  const rule = { allowedSites: [], allowNoContext: false, tokenKeys: ['a newer key', KEY] };
  const edgeFunction = loadEdgeFunction(viewerRequestSource(rule), () => now);
  const open = (path: string) => edgeFunction(requestWith([], { url: path })).kind;
  const version = new URL('0123456789abcdef/720p/index.m3u8', address).pathname;
  expect([open(address.pathname), open(version)]).toEqual(['request', 'request']);
  now += 59_000;
  expect(open(address.pathname)).toBe('request');
  now += 1000;
  expect([open(address.pathname), open(version)]).toEqual(['reply', 'reply']);
});

test.each([
  `/v/${ASSET}/index.m3u8`,
  'https://cdn.example/',
  'https://cdn.example/v//index.m3u8',
  'https://cdn.example/v/../x/index.m3u8',
  `https://cdn.example/v/${ASSET}`,
  `https://cdn.example/v/${ASSET}/index.m3u8?a=b`,
  `https://cdn.example/player/v/${ASSET}/index.m3u8`,
  `ftp://cdn.example/v/${ASSET}/index.m3u8`,
])('signAddress rejects %s, which is not the address of an asset', (address) => {
  expect(() => signAddress(address, KEY, 60, NOW)).toThrow(
    new RangeError(`${JSON.stringify(address)} is not the address of an asset.`),
  );
});

test.each([0, -1, 1.5, NaN, Infinity])('signAddress rejects a lifetime of %d seconds', (time) => {
  expect(() => signAddress(ADDRESS, KEY, time, NOW)).toThrow(RangeError);
});
