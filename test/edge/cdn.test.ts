import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../core/log.ts';
import type { AccessMode } from '../../edge/behaviours.ts';
import type { Edge } from '../../edge/local/server.ts';
import { signAddress } from '../../edge/playback-token.ts';
import { openCdn, startCdn } from './cdn.ts';
import { startDirectOrigin } from './direct-origin.ts';
import { ask } from './http.ts';
import { memoryStore } from './memory-store.ts';

const SITE = 'https://site.example';
const OTHER_SITE = 'https://other.example';
const SEGMENT = 'v/0123456789abcdef0123/0123456789abcdef/720p/00000.ts';
const KEY = 'the key';

const store = memoryStore();
store.put('delivery', SEGMENT, 'segment', { contentType: 'video/mp2t' });
store.put('delivery', 'private.json', '{}', { contentType: 'application/json' });

describe('The cache of the CDN', () => {
  let edges: readonly Edge[];
  let [address, guarded]: string[] = [];

  beforeAll(async () => {
    const bucket = { store, name: 'delivery', accessMode: 'cdn-only', originSecret: '' } as const;
    const rule = { allowedSites: [SITE, OTHER_SITE], allowNoContext: false };
    edges = [
      await startCdn(openCdn(rule, bucket)),
      await startCdn(openCdn({ ...rule, tokenKeys: [KEY] }, bucket)),
    ];
    [address, guarded] = edges.map(({ origin }) => `${origin}/${SEGMENT}`);
  });
  afterAll(() => Promise.all(edges.map((edge) => edge.close())));

  async function headersFor(url = '', headers: Readonly<Record<string, string>> = {}) {
    const answer = await ask(url, headers);
    return [answer.headers['x-cache'], answer.headers['access-control-allow-origin']];
  }

  test('A cached object has the same CORS headers for every allowed site, whoever fetched it first', async () => {
    expect(await headersFor(address, { origin: 'https://evil.example' })).toEqual([
      'FunctionGeneratedResponse from cloudfront',
      undefined,
    ]);
    expect(await headersFor(address, { referer: `${SITE}/` })).toEqual([
      'Miss from cloudfront',
      undefined,
    ]);
    for (const origin of [SITE, OTHER_SITE]) {
      expect(await headersFor(address, { origin })).toEqual(['Hit from cloudfront', '*']);
    }
  });

  test('Requests with different tokens share one cached object', async () => {
    await headersFor(signAddress(guarded ?? '', KEY, 100));
    expect(await headersFor(signAddress(guarded ?? '', KEY, 200))).toEqual([
      'Hit from cloudfront',
      undefined,
    ]);
  });
});

test.each<[mode: AccessMode, status: number]>([
  ['cdn-only', 403],
  ['public-read-via-cdn', 403],
  ['public-read', 200],
])("In %s, the bucket's own address answers %i to requests that bypass the CDN", async (...row) => {
  const [accessMode, status] = row;
  const originSecret = 'only the CDN knows it';
  const bucket = { store, name: 'delivery', accessMode, originSecret };
  const direct = await startDirectOrigin(bucket, createLog('silent'));
  for (const headers of [{}, { origin: SITE }, { referer: `${SITE}/` }, { range: 'bytes=0-2' }]) {
    const answer = await ask(`${direct.origin}/${SEGMENT}`, headers);
    expect(answer.status).toBe('range' in headers && status === 200 ? 206 : status);
    if (status === 403) expect(answer.body.toString()).toContain('<Code>AccessDenied</Code>');
  }
  expect((await ask(`${direct.origin}/private.json`)).status).toBe(403);
  const withSecret = await ask(`${direct.origin}/${SEGMENT}`, { referer: originSecret });
  expect(withSecret.status).toBe(accessMode === 'cdn-only' ? 403 : 200);
  await direct.close();
});
