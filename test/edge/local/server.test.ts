import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../../core/log.ts';
import type { Edge } from '../../../edge/local/server.ts';
import { signAddress } from '../../../edge/playback-token.ts';
import { startSite } from '../../../scripts/pages/site.ts';
import type { SiteOptions } from '../../../scripts/pages/site.ts';
import { ask, sendRaw } from '../http.ts';
import { memoryStore } from '../memory-store.ts';

const SITE = 'https://site.example';
const SEGMENT = 'v/0123456789abcdef0123/0123456789abcdef/720p/00000.ts';
const PLAYLIST = 'v/0123456789abcdef0123/index.m3u8';
const IMMUTABLE = 'public, max-age=31536000, immutable';

const log = createLog('silent');
const segment = Buffer.alloc(200_000, 'segment ');
const playlist = `#EXTM3U\n${'#EXTINF:6.000000,\n00000.ts\n'.repeat(100)}`;
const store = memoryStore();
/** Starts a server for the store, with these options changed. */
const start = (options: Partial<SiteOptions> = {}) =>
  startSite({
    store,
    deliveryBucket: 'delivery',
    port: 0,
    allowedSites: [SITE],
    listAssets: async () => [],
    log,
    ...options,
  });
let edge: Edge;
let segmentUrl: string;
let playlistUrl: string;

beforeAll(async () => {
  store.put('delivery', SEGMENT, segment, { contentType: 'video/mp2t', cacheControl: IMMUTABLE });
  store.put('delivery', PLAYLIST, playlist, { contentType: 'application/vnd.apple.mpegurl' });
  store.put('delivery', 'v/short.m3u8', '#EXTM3U\n', {
    contentType: 'application/vnd.apple.mpegurl',
  });
  store.put('delivery', 'v/long.vtt', 'WEBVTT\n'.repeat(500), {
    contentType: 'text/vtt; charset=utf-8',
  });
  store.put('delivery', 'v/long.json', JSON.stringify('x'.repeat(5000)), {
    contentType: 'application/json',
  });
  store.put('delivery', 'v/empty.ts', '', { contentType: 'video/mp2t' });
  store.put('delivery', 'v/untyped.ts', 'x');
  store.put('delivery', 'private.json', '{}', { contentType: 'application/json' });
  edge = await start();
  segmentUrl = `${edge.origin}/${SEGMENT}`;
  playlistUrl = `${edge.origin}/${PLAYLIST}`;
});

afterAll(() => edge.close());

describe('Objects', () => {
  test('An object has the headers that it was stored with, and those of the response headers policy', async () => {
    const { status, headers, body } = await ask(segmentUrl, { origin: SITE });
    expect(status).toBe(200);
    expect(body.equals(segment)).toBe(true);
    expect(headers).toMatchObject({
      'content-type': 'video/mp2t',
      'content-length': '200000',
      'cache-control': IMMUTABLE,
      etag: expect.stringMatching(/^"[0-9a-f]{32}"$/) as unknown,
      'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Content-Length, Content-Range, Date, ETag',
      'x-content-type-options': 'nosniff',
      'timing-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    });
  });

  test('An object has no CORS headers if the request has no Origin', async () => {
    const { status, headers } = await ask(segmentUrl, { referer: `${SITE}/` });
    expect(status).toBe(200);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  test('An object has the content type that it was stored with, even a wrong one', async () => {
    const { headers } = await ask(`${edge.origin}/v/untyped.ts`, { origin: SITE });
    expect(headers['content-type']).toBe('binary/octet-stream');
  });

  test('An object has only one address: a percent-encoded form of it is not found', async () => {
    const alias = `${edge.origin}/${SEGMENT.replace('00000', '%300000')}`;
    const { status, headers, body } = await ask(alias, { origin: SITE });
    expect([status, headers['cache-control']]).toEqual([404, 'no-store']);
    expect(body.toString()).toContain('no escapes');
  });

  test('An empty object has an empty body', async () => {
    const { status, headers, body } = await ask(`${edge.origin}/v/empty.ts`, { origin: SITE });
    expect([status, headers['content-length'], body.length]).toEqual([200, '0', 0]);
  });

  test('HEAD returns the headers of GET without the body', async () => {
    const whole = await ask(segmentUrl, { origin: SITE });
    const { status, headers, body } = await ask(segmentUrl, { origin: SITE }, 'HEAD');
    expect(status).toBe(200);
    expect(body.length).toBe(0);
    expect({ ...headers, date: '' }).toEqual({ ...whole.headers, date: '' });
  });

  test('An object is not sent again if If-None-Match names its ETag', async () => {
    const { headers } = await ask(segmentUrl, { origin: SITE });
    const etag = headers.etag ?? '';
    for (const known of [etag, `"other", W/${etag}`, '*']) {
      const again = await ask(segmentUrl, { origin: SITE, 'if-none-match': known });
      expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
      expect(again.headers['access-control-allow-origin']).toBe('*');
    }
    const other = await ask(segmentUrl, { origin: SITE, 'if-none-match': '"other"' });
    expect(other.status).toBe(200);
  });

  // The segment was last modified on Fri, 02 Jan 2026 03:04:05 GMT.
  test.each([
    ['Fri, 02 Jan 2026 03:04:05 GMT', 304],
    ['Friday, 02-Jan-26 03:04:05 GMT', 304],
    ['Fri Jan  2 03:04:05 2026', 304],
    ['Thu, 01 Jan 2099 00:00:00 GMT', 304],
    ['Fri, 02 Jan 2026 03:04:04 GMT', 200],
    ['2099-01-01T00:00:00Z', 200],
    ['2099', 200],
    ['', 200],
  ])('If-Modified-Since %s answers %i', async (since, status) => {
    const asked = { origin: SITE, 'if-modified-since': since };
    expect((await ask(segmentUrl, asked)).status).toBe(status);
    expect((await ask(segmentUrl, asked, 'HEAD')).status).toBe(status);
  });

  test.each([
    ['if-match', '"other"', 412],
    ['if-match', '"other", *', 206],
    ['if-match', 'W/ETAG', 412],
    ['if-match', '"other", ETAG', 206],
    ['if-unmodified-since', 'Fri, 02 Jan 2026 03:04:05 GMT', 206],
    ['if-unmodified-since', 'Fri, 02 Jan 2026 03:04:04 GMT', 412],
    ['if-unmodified-since', 'yesterday', 206],
  ])('A range with %s %s answers %i', async (name, value, status) => {
    const { headers } = await ask(segmentUrl, { origin: SITE });
    const condition = { [name]: value.replace('ETAG', headers.etag ?? '') };
    const answer = await ask(segmentUrl, { origin: SITE, range: 'bytes=0-9', ...condition });
    expect(answer.status).toBe(status);
  });

  test('If-None-Match takes precedence over If-Modified-Since', async () => {
    const asked = { origin: SITE, 'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT' };
    const answer = await ask(segmentUrl, { ...asked, 'if-none-match': '"other"' });
    expect(answer.status).toBe(200);
  });
});

describe('Ranges', () => {
  test.each([
    ['bytes=0-99', 0, 99],
    ['bytes=199990-', 199_990, 199_999],
    ['bytes=-10', 199_990, 199_999],
    ['bytes=100000-900000', 100_000, 199_999],
  ])('%s answers that part', async (range, first, last) => {
    const { status, headers, body } = await ask(segmentUrl, { origin: SITE, range });
    expect(status).toBe(206);
    expect(headers['content-range']).toBe(`bytes ${first}-${last}/200000`);
    expect(headers['content-length']).toBe(String(last - first + 1));
    expect(body.equals(segment.subarray(first, last + 1))).toBe(true);
  });

  test.each(['bytes=0-9,20-29', 'bytes=9-0', 'lines=1-2', 'nonsense'])(
    '%s answers the whole object',
    async (range) => {
      const { status, headers, body } = await ask(segmentUrl, { origin: SITE, range });
      expect([status, headers['content-range'], body.length]).toEqual([200, undefined, 200_000]);
    },
  );

  test('A range outside the object answers 416 with the size of the object', async () => {
    const answer = await ask(segmentUrl, { origin: SITE, range: 'bytes=200000-' });
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */200000']);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });

  test('If-Range answers the whole object if it names another version', async () => {
    const range = 'bytes=0-9';
    const { headers } = await ask(segmentUrl, { origin: SITE });
    const { etag = '', 'last-modified': modified = '' } = headers;
    const statuses: number[] = [];
    const others = ['"other"', `W/${etag}`, 'Thu, 01 Jan 2099 00:00:00 GMT', 'nonsense'];
    for (const condition of [etag, modified, ...others]) {
      const answer = await ask(segmentUrl, { origin: SITE, range, 'if-range': condition });
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([206, 206, 200, 200, 200, 200]);
  });

  test('A range of a playlist is not compressed', async () => {
    const range = 'bytes=0-1999';
    const answer = await ask(playlistUrl, { origin: SITE, range, 'accept-encoding': 'gzip' });
    expect([answer.status, answer.headers['content-encoding']]).toEqual([206, undefined]);
    expect(answer.body.toString()).toBe(playlist.slice(0, 2000));
  });
});

describe('Compression', () => {
  test('A playlist is compressed for viewers that accept it, and has a weak ETag then', async () => {
    const plain = await ask(playlistUrl, { origin: SITE });
    const answer = await ask(playlistUrl, { origin: SITE, 'accept-encoding': 'gzip, deflate' });
    expect(gunzipSync(answer.body).toString()).toBe(playlist);
    expect(answer.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-length': String(answer.body.length),
      etag: `W/${plain.headers.etag}`,
      vary: 'Accept-Encoding',
    });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers.vary).toBe('Accept-Encoding');
    expect(plain.body.toString()).toBe(playlist);
  });

  test('Brotli is preferred to gzip', async () => {
    const headers = { origin: SITE, 'accept-encoding': 'gzip, br' };
    const answer = await ask(playlistUrl, headers);
    expect(answer.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(answer.body).toString()).toBe(playlist);
  });

  test.each([
    ['v/long.json', 'gzip', 'gzip'],
    ['v/long.json', 'identity', undefined],
    ['v/long.json', 'gzip;q=0, br', 'br'],
    ['v/long.json', 'gzip;q=0, br;q=0.0', undefined],
    ['v/long.json', 'gzipped, brotli', undefined],
    ['v/long.json', 'gzip;q=0.5', 'gzip'],
    ['v/short.m3u8', 'gzip', undefined],
    ['v/long.vtt', 'gzip', undefined],
    [SEGMENT, 'gzip', undefined],
  ])('%s with Accept-Encoding %s has Content-Encoding %s', async (key, accepted, encoding) => {
    const headers = { origin: SITE, 'accept-encoding': accepted };
    const answer = await ask(`${edge.origin}/${key}`, headers);
    expect([answer.status, answer.headers['content-encoding']]).toEqual([200, encoding]);
  });
});

describe('Refusals', () => {
  test('A page of another site gets a sentence instead of the object', async () => {
    const answer = await ask(segmentUrl, { origin: 'https://elsewhere.example' });
    expect(answer.status).toBe(403);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.body.toString()).toBe('This site may not show the videos kept here.\n');
  });

  test('A request without context is refused unless allowNoContext is set', async () => {
    expect((await ask(segmentUrl)).status).toBe(403);
    const open = await start({
      allowedSites: [],
      allowNoContext: true,
    });
    expect((await ask(`${open.origin}/${SEGMENT}`)).status).toBe(200);
    await open.close();
  });

  test("The edge's own pages may fetch, under both names of this machine", async () => {
    const local = edge.origin.replace('127.0.0.1', 'localhost');
    for (const origin of [edge.origin, local]) {
      const answer = await ask(segmentUrl, { origin });
      expect(answer.status).toBe(200);
      expect(answer.headers['access-control-allow-origin']).toBe('*');
    }
  });

  test('A missing object answers 403 as S3 does, readable for an allowed site', async () => {
    const answer = await ask(`${edge.origin}/v/missing.ts`, { origin: SITE });
    expect(answer.status).toBe(403);
    expect(answer.headers['content-type']).toBe('application/xml');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.body.toString()).toContain('<Code>AccessDenied</Code>');
  });

  test.each(['/v/%', '/v/%zz', '/v/%ff', '/v/a%2'])('The path %s is not found', async (path) => {
    const answer = await ask(edge.origin + path, { origin: SITE });
    expect([answer.status, answer.headers['cache-control']]).toEqual([404, 'no-store']);
  });

  test.each([
    '/private.json',
    '/delivery/private.json',
    '/v/../private.json',
    '/v/%2e%2e/private.json',
  ])('The path %s does not reach an unpublished object', async (path) => {
    const answer = await ask(edge.origin + path, { origin: SITE });
    expect(answer.status).toBeGreaterThanOrEqual(403);
    expect(answer.body.toString()).not.toBe('{}');
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('The method %s is not allowed', async (method) => {
    const answer = await ask(segmentUrl, { origin: SITE }, method);
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  test('A preflight succeeds for an allowed site and fails for another', async () => {
    const allowed = await ask(segmentUrl, { origin: SITE }, 'OPTIONS');
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([204, SITE]);
    const refused = await ask(segmentUrl, { origin: 'https://elsewhere.example' }, 'OPTIONS');
    expect(refused.status).toBe(403);
  });

  test('A request for another host name is refused, because its page would be same-origin', async () => {
    const { port } = new URL(edge.origin);
    for (const host of [`evil.example:${port}`, `evil.example`, '127.0.0.1', `127.0.0.1:1`]) {
      for (const path of [`/${SEGMENT}`, '/']) {
        const answer = await ask(edge.origin + path, { host, 'sec-fetch-site': 'same-origin' });
        expect(answer.status).toBe(403);
        expect(answer.body.toString()).toContain(`Open ${edge.origin}/`);
      }
    }
  });
});

describe('Tokens', () => {
  const KEY = 'the key';
  let guarded: Edge;
  let address: string;
  beforeAll(async () => {
    guarded = await start({
      tokenKeys: [KEY],
    });
    address = `${guarded.origin}/${SEGMENT}`;
  });
  afterAll(() => guarded.close());

  test('A signed address is served, also without context', async () => {
    const signed = signAddress(address, KEY, 60);
    const { status, headers, body } = await ask(signed, { origin: SITE });
    expect([status, headers['access-control-allow-origin']]).toEqual([200, '*']);
    expect(body.equals(segment)).toBe(true);
    expect((await ask(signed)).status).toBe(200);
  });

  test('A page of an allowed site can read that its address has expired', async () => {
    const old = signAddress(address, KEY, 60, new Date(Date.now() - 61_000));
    const { status, headers, body } = await ask(old, { origin: SITE });
    expect([status, headers['access-control-allow-origin']]).toEqual([410, SITE]);
    expect(headers['cache-control']).toBe('no-store');
    expect(body.toString()).toBe('The address of this video has expired.\n');
  });
});

describe('Robustness', () => {
  test.each([
    ['bytes that are not HTTP', 'nonsense\r\n\r\n', '400'],
    ['no Host header', `GET /${SEGMENT} HTTP/1.1\r\n\r\n`, '400'],
    ['no Host header in HTTP/1.0', `GET /${SEGMENT} HTTP/1.0\r\n\r\n`, '400'],
    ['a space in the path', 'GET /v/a b HTTP/1.1\r\nHost: x\r\n\r\n', '400'],
    [
      'headers that are too long',
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(100_000)}\r\n\r\n`,
      '431',
    ],
    [
      'an absolute URL as its target',
      'GET http://x/v/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      '403',
    ],
    [
      'two Origin headers',
      `GET /${SEGMENT} HTTP/1.1\r\nHost: HOST\r\nOrigin: ${SITE}\r\nOrigin: ${SITE}\r\nConnection: close\r\n\r\n`,
      '403',
    ],
    [
      'two Host headers',
      `GET /${SEGMENT} HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\nOrigin: ${SITE}\r\nConnection: close\r\n\r\n`,
      '400',
    ],
    [
      'bytes that are not UTF-8',
      'GET /v/\xff\xfe HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
      '40',
    ],
  ])('The server survives a request with %s', async (_about, bytes, status) => {
    const { host } = new URL(edge.origin);
    const answer = await sendRaw(edge.origin, bytes.replace('HOST', host));
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status}`));
    expect((await ask(segmentUrl, { origin: SITE })).status).toBe(200);
  });

  test('The server survives a connection that is reset in the middle of a request', async () => {
    const { hostname, port } = new URL(edge.origin);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write('GET /v/', () => socket.resetAndDestroy());
    await once(socket, 'close');
    expect((await ask(segmentUrl, { origin: SITE })).status).toBe(200);
  });

  test('An object that cannot be read answers 500, and the error is logged', async () => {
    const lines: unknown[] = [];
    const broken = await start({
      store: {
        ...store,
        get: async () => {
          throw new Error('The disk is gone.');
        },
      },
      log: Object.assign(createLog('silent'), { error: (line: unknown) => lines.push(line) }),
    });
    const answer = await ask(`${broken.origin}/${SEGMENT}`, { origin: SITE });
    expect([answer.status, answer.headers['cache-control']]).toEqual([500, 'no-store']);
    expect(lines).toMatchObject([{ event: 'edge.failed', err: { message: 'The disk is gone.' } }]);
    await broken.close();
  });
});

describe('Open objects', () => {
  const BIG = 'v/big.ts';
  let big: string;

  beforeAll(() => {
    // More than the socket buffers hold, so that the reader has to wait for the viewer.
    store.put('delivery', BIG, Buffer.alloc(50_000_000), { contentType: 'video/mp2t' });
    big = `${edge.origin}/${BIG}`;
  });

  test('Objects are closed when viewers disconnect in the middle', async () => {
    const viewers = Array.from({ length: 5 }, () => get(big, { headers: { origin: SITE } }));
    const answers = await Promise.all(viewers.map((viewer) => once(viewer, 'response')));
    expect(answers.length).toBe(5);
    expect(store.openBodies()).toBe(5);
    for (const viewer of viewers) viewer.destroy();
    await store.whenOpen(0);
  });

  test('Objects are closed after HEAD, 304, 403 and 416', async () => {
    await ask(big, { origin: SITE }, 'HEAD');
    await ask(playlistUrl, { origin: SITE, 'accept-encoding': 'gzip' }, 'HEAD');
    await ask(big, { origin: SITE, 'if-none-match': '*' });
    await ask(big, { origin: SITE, range: 'bytes=50000000-' });
    await ask(big);
    await store.whenOpen(0);
  });

  test('An object is closed if the viewer disconnected before it was opened', async () => {
    let gone: () => void;
    const wentAway = new Promise<void>((done) => (gone = done));
    const late = await start({
      store: {
        head: store.head,
        get: async (bucket, key, range) => {
          viewer.destroy();
          await wentAway;
          return store.get(bucket, key, range);
        },
      },
      log: Object.assign(createLog('silent'), { debug: () => gone() }),
    });
    const viewer = get(`${late.origin}/${BIG}`, { headers: { origin: SITE } });
    viewer.on('error', () => undefined);
    await store.whenOpen(1);
    await store.whenOpen(0);
    await late.close();
  });

  test('Objects are closed when the server is closed while it sends', async () => {
    const closing = await start();
    const viewer = get(`${closing.origin}/${BIG}`, { headers: { origin: SITE } });
    await once(viewer, 'response');
    expect(store.openBodies()).toBe(1);
    await closing.close();
    await store.whenOpen(0);
    viewer.destroy();
  });

  test('An object that is replaced between HEAD and GET is read again, and the first body closed', async () => {
    let first = true;
    const racing = await start({
      store: {
        head: store.head,
        get: async (bucket, key, range) => {
          if (first) store.put('delivery', 'v/pointer.m3u8', 'the new one', { contentType: 'x/y' });
          first = false;
          return store.get(bucket, key, range);
        },
      },
    });
    store.put('delivery', 'v/pointer.m3u8', 'old', { contentType: 'x/y' });
    const { headers, body } = await ask(`${racing.origin}/v/pointer.m3u8`, { origin: SITE });
    expect([body.toString(), headers['content-length']]).toEqual(['the new one', '11']);
    await store.whenOpen(0);
    await racing.close();
  });
});

describe('Startup', () => {
  test('Startup fails with a sentence if the port is taken', async () => {
    const port = Number(new URL(edge.origin).port);
    await expect(start({ port })).rejects.toThrow(
      `Port ${port} is taken. Choose another with --port, or 0 for any free one.`,
    );
  });

  test('Startup fails if an allowed site is not an origin', async () => {
    const allowedSites = ['site.example'];
    await expect(start({ allowedSites })).rejects.toThrow('This is not an origin: "site.example".');
  });
});
