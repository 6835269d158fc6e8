import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge } from '../../local/edge/server.ts';
import type { Edge } from '../../local/edge/server.ts';
import type { ListedAsset } from '../../local/pages.ts';
import { openLocalHome } from '../../worker/io/local/home.ts';
import type { LocalHome } from '../../worker/io/local/home.ts';
import { LOCAL_LAYOUT } from '../../worker/io/local/layout.ts';
import { createLog } from '../../worker/log.ts';

const SITE = 'https://site.example';
const listed: ListedAsset = {
  assetId: 'a1',
  title: '<script>alert("title")</script> & more',
  durationSeconds: 3725,
  playlist: 'v/a1/index.m3u8',
  poster: 'v/a1/b2/images/poster.jpg',
};

let directory: string;
let home: LocalHome;
let edge: Edge;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vodstack-edge-'));
  home = await openLocalHome({ directory, layout: LOCAL_LAYOUT });
  const { store } = home;
  const long = `#EXTM3U\n${'#EXTINF:6.000000,\n00000.ts\n'.repeat(100)}`;
  const put = (key: string, body: string, contentType: string) =>
    store.put('delivery', key, body, { contentType, cacheControl: 'public, max-age=10' });
  await put('v/a1/index.m3u8', long, 'application/vnd.apple.mpegurl');
  await put('v/a1/short.m3u8', '#EXTM3U\n', 'application/vnd.apple.mpegurl');
  await put('v/a1/b2/720p/00000.ts', '0123456789', 'video/mp2t');
  await put('v/a1/c d+é.ts', 'hard', 'video/mp2t');
  await put('secret.json', '{}', 'application/json');
  edge = await startEdge({
    ...{ store, deliveryBucket: 'delivery', port: 0, allowedSites: [SITE] },
    listAssets: () => Promise.resolve([listed]),
    log: createLog('silent'),
  });
});
afterAll(async () => {
  await edge.close();
  await home.close();
  await rm(directory, { recursive: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function ask(
  path: string,
  headers: Readonly<Record<string, string>> = { origin: SITE },
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(edge.origin);
    request({ hostname, port, path, headers, method }, (response) => {
      const { statusCode: status, headers: answered } = response;
      buffer(response).then((body) => resolve({ status, headers: answered, body }), reject);
    })
      .once('error', reject)
      .end();
  });
}

const SEGMENT = '/v/a1/b2/720p/00000.ts';

describe('What is published', () => {
  test('is answered with its type, cache rule, ETag and CORS headers.', async () => {
    const { status, headers, body } = await ask(SEGMENT);
    expect(status).toBe(200);
    expect(body.toString()).toBe('0123456789');
    expect(headers).toMatchObject({
      'content-type': 'video/mp2t',
      'content-length': '10',
      'cache-control': 'public, max-age=10',
      'access-control-allow-origin': SITE,
      'access-control-expose-headers': 'Content-Length, Content-Range, Date, ETag',
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      vary: 'Origin',
    });
    const known = await ask(SEGMENT, { origin: SITE, 'if-none-match': headers.etag ?? '' });
    expect(known.status).toBe(304);
  });

  test('has no CORS headers for a request without an origin.', async () => {
    const { status, headers } = await ask(SEGMENT, { referer: `${SITE}/page` });
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(headers.vary).toBe('Origin');
  });

  test.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=-0', 416, '', 'bytes */10'],
    ['bytes=5-2', 200, '0123456789', undefined],
    ['bytes=0-1,4-5', 200, '0123456789', undefined],
    ['lines=1-2', 200, '0123456789', undefined],
  ])('is answered to the range %s with %i.', async (range, status, body, contentRange) => {
    const answer = await ask(SEGMENT, { origin: SITE, range });
    expect(answer.status).toBe(status);
    expect(answer.body.toString()).toBe(body);
    expect(answer.headers['content-range']).toBe(contentRange);
  });

  test('is answered to HEAD without a body.', async () => {
    const { status, headers, body } = await ask(SEGMENT, { origin: SITE }, 'HEAD');
    expect([status, headers['content-length'], body.length]).toEqual([200, '10', 0]);
  });

  test('is compressed when it is a playlist of 1,000 bytes or more, for those who can read that.', async () => {
    const encoding = { origin: SITE, 'accept-encoding': 'gzip, br' };
    const long = await ask('/v/a1/index.m3u8', encoding);
    expect(long.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(long.body).toString()).toMatch(/^#EXTM3U/);
    expect((await ask('/v/a1/short.m3u8', encoding)).headers['content-encoding']).toBeUndefined();
    expect((await ask(SEGMENT, encoding)).headers['content-encoding']).toBeUndefined();
    expect((await ask('/v/a1/index.m3u8')).headers['content-encoding']).toBeUndefined();
  });

  test.each([
    ['/v/a1/c%20d%2B%C3%A9.ts', 200],
    ['/v/a1/c%20d+%C3%A9.ts', 200],
    ['/v/a1/%', 400],
    ['/v/a1/%ff', 400],
    ['/v/a1/missing.ts', 403],
    ['/v/../secret.json', 403],
    ['/v/%2e%2e/secret.json', 403],
    ['/v//a1/index.m3u8', 403],
  ])('at %s is answered with %i.', async (path, status) => {
    expect((await ask(path)).status).toBe(status);
  });

  test('is denied to other sites, and not a byte of it is sent.', async () => {
    for (const path of [SEGMENT, '/v/a1/index.m3u8', '/v/a1/missing.ts']) {
      const { status, body, headers } = await ask(path, { origin: 'https://evil.example' });
      expect([status, body.length, headers['cache-control']]).toEqual([403, 0, 'no-store']);
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  test('goes on being served after a request that is none.', async () => {
    const { hostname, port } = new URL(edge.origin);
    const socket = connect(Number(port), hostname);
    socket.write('NONSENSE \0\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect((await ask(SEGMENT)).status).toBe(200);
  });
});

describe('The pages', () => {
  const own = () => ({ host: new URL(edge.origin).host });

  test('list what is published, with titles as text.', async () => {
    const { status, body, headers } = await ask('/', own());
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    const text = body.toString();
    expect(text).toContain('&#60;script&#62;alert(&#34;title&#34;)&#60;/script&#62; &#38; more');
    expect(text).toContain('1:02:05');
    expect(text).not.toContain('<script>alert');
  });

  test('show one of it, and say so when there is none.', async () => {
    expect((await ask('/watch/a1', own())).body.toString()).toContain(
      'data-playlist="/v/a1/index.m3u8"',
    );
    expect((await ask('/watch/zz', own())).status).toBe(404);
    expect((await ask('/player/../../package.json', own())).status).toBe(404);
    for (const file of ['watch.js', 'pages.css', 'hls.js']) {
      expect((await ask(`/player/${file}`, own())).status).toBe(200);
    }
  });

  test('are not shown under another name, and take no POST.', async () => {
    expect((await ask('/', { host: 'rebound.example' })).status).toBe(403);
    expect((await ask('/', own(), 'POST')).status).toBe(405);
  });
});

test('A port that is taken is told in a sentence.', async () => {
  const { port } = new URL(edge.origin);
  const again = startEdge({
    ...{ store: home.store, deliveryBucket: 'delivery', port: Number(port), allowedSites: [] },
    listAssets: () => Promise.resolve([]),
    log: createLog('silent'),
  });
  await expect(again).rejects.toThrow(`Port ${port} is taken.`);
});
