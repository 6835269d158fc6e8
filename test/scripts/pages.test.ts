import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../core/log.ts';
import type { Edge } from '../../edge/local/server.ts';
import { BROTLI_BUDGET_BYTES } from '../../player/sizes.ts';
import { versionedPlayer } from '../../scripts/pages/page-files.ts';
import type { ListedAsset } from '../../scripts/pages/pages.ts';
import { startSite } from '../../scripts/pages/site.ts';
import { ask } from '../edge/http.ts';
import { memoryStore } from '../edge/memory-store.ts';

const TALK: ListedAsset = {
  assetId: '0123456789abcdef0123',
  title: '#2 4 Protection with PropTypes',
  durationSeconds: 3725.4,
  playlist: 'v/0123456789abcdef0123/index.m3u8',
  poster: 'v/0123456789abcdef0123/0123456789abcdef/images/poster.jpg',
  renditions: [
    { width: 720, height: 1280 },
    { width: 360, height: 640 },
  ],
};
const SONG: ListedAsset = {
  assetId: 'fedcba98765432100123',
  title: `</title><script>alert("1" + '2')</script> & 노래`,
  durationSeconds: 62.2,
  playlist: 'v/fedcba98765432100123/index.m3u8',
  renditions: [],
};
const ESCAPED =
  '&#60;/title&#62;&#60;script&#62;alert(&#34;1&#34; + &#39;2&#39;)&#60;/script&#62; &#38; 노래';

let assets: readonly ListedAsset[] = [];
let edge: Edge;

beforeAll(async () => {
  edge = await startSite({
    store: memoryStore(),
    deliveryBucket: 'delivery',
    port: 0,
    allowedSites: [],
    listAssets: async () => assets,
    log: createLog('silent'),
  });
});

afterAll(() => edge.close());

async function open(path: string) {
  const { status, headers, body } = await ask(edge.origin + path);
  return { status, headers, page: body.toString() };
}

describe('the list page', () => {
  test('The list shows the poster, duration and title of each asset, and links to its watch page', async () => {
    assets = [TALK, SONG];
    const { status, headers, page } = await open('/');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page).toContain('href="/watch/0123456789abcdef0123"');
    expect(page).toContain(`src="/${TALK.poster ?? ''}"`);
    expect(page).toContain('#2 4 Protection with PropTypes');
    expect(page).toContain('1:02:05');
    expect(page).toContain('href="/watch/fedcba98765432100123"');
    expect(page).toContain('1:02<');
    expect(page.match(/<img [^>]*loading="lazy"/g)).toHaveLength(1);
    expect(page).not.toContain('http-equiv="refresh"');
  });

  test('An empty list says that nothing is published, and refreshes itself', async () => {
    assets = [];
    const { status, page } = await open('/');
    expect(status).toBe(200);
    expect(page).toContain('Nothing is published yet.');
    expect(page).toContain('<meta http-equiv="refresh" content="5" />');
  });
});

describe('the watch page', () => {
  test('The watch page names the playlist and the poster, and preloads no media', async () => {
    assets = [TALK, SONG];
    const { status, page } = await open('/watch/0123456789abcdef0123?from=list');
    expect(status).toBe(200);
    expect(page).toContain('<html lang="en">');
    expect(page).toContain('<title>#2 4 Protection with PropTypes</title>');
    expect(page).toMatch(/<script type="module" src="\/player\/vod-player-[0-9a-f]{16}\.js">/);
    expect(page).toContain(`src="/${TALK.playlist}"`);
    expect(page).toContain(`poster="/${TALK.poster ?? ''}"`);
    expect(page).toContain('aspect-ratio="720/1280"');
    expect(page).not.toMatch(/<video|autoplay|preload/);
  });

  test.each(['/', '/watch/fedcba98765432100123'])(
    'The page %s shows markup in a title as text',
    async (path) => {
      assets = [SONG];
      const { page } = await open(path);
      expect(page).toContain(ESCAPED);
      expect(page).not.toContain('<script>alert');
    },
  );

  test.each([
    ...['/watch/', '/watch/unknown', '/watch/0123456789abcdef0123/', '/watch/%00', '/watch/..'],
    ...['/other', '/player/', '/player/../package.json', '/player/list.html', '/favicon.ico'],
    ...['/v', '//evil.example', '/%', '/watch/constructor'],
  ])('The path %s is answered with 404', async (path) => {
    assets = [TALK];
    const { status, page } = await open(path);
    expect(status).toBe(404);
    expect(page).toContain('There is no such page.');
  });
});

describe('the player file', () => {
  const STABLE = '/player/vod-player.js';
  let versioned: string;
  beforeAll(async () => {
    assets = [TALK];
    const { page } = await open(`/watch/${TALK.assetId}`);
    versioned = /\/player\/vod-player-\w+\.js/.exec(page)?.[0] ?? '';
  });
  const load = (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') =>
    ask(edge.origin + path, headers, method);

  test('The player is sent in the best encoding that the client accepts, with the same content', async () => {
    const plain = await load(STABLE);
    const brotli = await load(STABLE, { 'accept-encoding': 'gzip, deflate, br, zstd' });
    const gzip = await load(STABLE, { 'accept-encoding': 'gzip' });
    const kinds = [plain, brotli, gzip].map(({ headers }) => headers['content-encoding']);
    expect(kinds).toEqual([undefined, 'br', 'gzip']);
    expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true);
    expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true);
    expect(brotli.body.length).toBeLessThanOrEqual(BROTLI_BUDGET_BYTES);
    for (const { headers, body } of [plain, brotli, gzip]) {
      expect(headers['content-length']).toBe(String(body.length));
      expect(headers.vary).toBe('Accept-Encoding');
      expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
    }
  });

  test('The player is revalidated under its stable path, and cached forever under its versioned path', async () => {
    const kept = async (path: string) => (await load(path)).headers['cache-control'];
    expect(await kept(STABLE)).toBe('no-cache');
    expect(await kept(versioned)).toBe('public, max-age=31536000, immutable');
    expect((await load(versioned)).body.equals((await load(STABLE)).body)).toBe(true);
    expect((await load('/player/vod-player-0123456789abcdef.js')).status).toBe(404);
  });

  test.each(['br', 'gzip', 'identity'])(
    'The player in %s is not sent again if the client has it',
    async (coding) => {
      for (const path of [STABLE, versioned]) {
        const first = await load(path, { 'accept-encoding': coding });
        const { etag = '' } = first.headers;
        for (const method of ['GET', 'HEAD']) {
          const asked = { 'accept-encoding': coding, 'if-none-match': etag };
          const { status, headers, body } = await load(path, asked, method);
          expect([status, body.length]).toEqual([304, 0]);
          expect(headers).toMatchObject({
            etag,
            vary: 'Accept-Encoding',
            'access-control-allow-origin': '*',
            'cache-control': first.headers['cache-control'],
          });
        }
        const other = await load(path, { 'accept-encoding': coding, 'if-none-match': '"other"' });
        expect(other.status).toBe(200);
      }
    },
  );

  test.each(['br', 'identity'])(
    'HEAD has the same headers as GET for the player in %s',
    async (coding) => {
      const asked = { 'accept-encoding': coding };
      const whole = await load(STABLE, asked);
      const head = await load(STABLE, asked, 'HEAD');
      expect([head.status, head.body.length]).toEqual([200, 0]);
      expect({ ...head.headers, date: '' }).toEqual({ ...whole.headers, date: '' });
    },
  );
});

describe('every response', () => {
  test.each([
    ['/', 'text/html; charset=utf-8'],
    ['/watch/0123456789abcdef0123', 'text/html; charset=utf-8'],
    ['/watch/unknown', 'text/html; charset=utf-8'],
    ['/player/vod-player.js', 'text/javascript; charset=utf-8'],
    ['/player/pages.css', 'text/css; charset=utf-8'],
    ['/player/icon.svg', 'image/svg+xml'],
  ])('%s has the type %s and a policy that allows no other origin', async (path, type) => {
    assets = [TALK];
    const { headers, page } = await open(path);
    expect(page.length).toBeGreaterThan(0);
    expect(headers['content-type']).toBe(type);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['content-security-policy']).toBe(
      "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'",
    );
  });

  test('Pages of any site may load the player, but nothing else', async () => {
    const allowed = async (path: string) =>
      (await ask(edge.origin + path)).headers['access-control-allow-origin'];
    expect(await allowed('/player/vod-player.js')).toBe('*');
    expect(await allowed(await versionedPlayer())).toBe('*');
    expect(await allowed('/player/pages.css')).toBeUndefined();
    expect(await allowed('/')).toBeUndefined();
  });

  test('A page is refused to POST, and has no body for HEAD', async () => {
    assets = [TALK];
    expect((await ask(`${edge.origin}/`, {}, 'POST')).status).toBe(405);
    const { status, headers, body } = await ask(`${edge.origin}/`, {}, 'HEAD');
    expect([status, body.length]).toEqual([200, 0]);
    expect(Number(headers['content-length'])).toBeGreaterThan(500);
  });

  test('Pages are served for both names of this machine, and for no other host', async () => {
    assets = [TALK];
    const { port } = new URL(edge.origin);
    const status = async (host: string) => (await ask(`${edge.origin}/`, { host })).status;
    expect(await status(`localhost:${port}`)).toBe(200);
    expect(await status(`LOCALHOST:${port}`)).toBe(200);
    expect(await status(`evil.example:${port}`)).toBe(403);
    expect(await status(`localhost`)).toBe(403);
  });
});

test('A list that cannot be read is answered with 500, and the next request is served', async () => {
  const failing = await startSite({
    store: memoryStore(),
    deliveryBucket: 'delivery',
    port: 0,
    allowedSites: [],
    listAssets: async () => {
      throw new Error('no list');
    },
    log: createLog('silent'),
  });
  expect((await ask(`${failing.origin}/`)).status).toBe(500);
  expect((await ask(`${failing.origin}/player/pages.css`)).status).toBe(200);
  await failing.close();
});
