import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../../core/log.ts';
import { deliveryHeaders } from '../../../core/model/keys.ts';
import type { Edge } from '../../../edge/local/server.ts';
import { stage } from '../../../infra/config.ts';
import type { StageConfig } from '../../../infra/config.ts';
import { PLAYER_KEY } from '../../../scripts/aws/player.ts';
import {
  bucketProbes,
  findMismatch,
  listingProbes,
  missingProbe,
  pageOf,
  plainBucketProbe,
  plainHttpProbe,
  viewerProbes,
} from '../../../scripts/aws/smoke-probes.ts';
import type { ProbeResponse, Probe, SmokeTarget } from '../../../scripts/aws/smoke-probes.ts';
import { sendRequest } from '../../../scripts/aws/smoke-request.ts';
import { CONTAINER } from '../../../worker/plan/formats.ts';
import { openCdn, startCdn } from '../../edge/cdn.ts';
import { startDirectOrigin } from '../../edge/direct-origin.ts';
import { memoryStore } from '../../edge/memory-store.ts';

const ASSET = '0123456789abcdef0123';
const POINTER = `v/${ASSET}/index.m3u8`;
const SEGMENT = `v/${ASSET}/0123456789abcdef/720p/00000.ts`;
const POSTER = `v/${ASSET}/0123456789abcdef/images/poster.jpg`;
const SEGMENT_BYTES = randomBytes(1880);
const PLAYER_BYTES = Buffer.from('console.log(1);\n'.repeat(100));
const KEY = 'the key that is signed with';
const stop = new AbortController().signal;

const base = { name: 'mine', region: 'eu-central-1', allowedSites: ['https://my.site'] };
const STAGES: Readonly<Record<string, StageConfig>> = {
  'a new stage': stage(base),
  'a stage with tokens': stage({ ...base, playbackTokens: true, openPosters: false }),
  'a stage for apps, too': stage({
    ...{ ...base, allowNoContext: true, openPosters: false },
    allowedSites: ['https://*.my.site'],
  }),
  'a stage with a public bucket': stage({ ...base, accessMode: 'public-read' }),
  'a stage with closed posters': stage({ ...base, openPosters: false }),
};

const store = memoryStore();
for (const [key, bytes] of [
  [POINTER, '#EXTM3U'],
  [SEGMENT, SEGMENT_BYTES],
  [POSTER, 'jpg'],
] as const) {
  const type = key === SEGMENT ? CONTAINER.contentType : undefined;
  store.put('delivery', key, bytes, deliveryHeaders(key, type));
}
store.put('delivery', PLAYER_KEY, PLAYER_BYTES, { contentType: 'text/javascript; charset=utf-8' });

/** Opens a stage that serves a video, with the CDN and the bucket's own address on loopback. */
async function open(config: StageConfig) {
  const { allowedSites, allowNoContext, openPosters, playbackTokens, accessMode } = config;
  const tokenKeys = playbackTokens ? [KEY] : [];
  const bucket = { store, name: 'delivery', accessMode, originSecret: '' };
  const rule = { allowedSites, allowNoContext, openPosters, tokenKeys };
  const cdn = await startCdn(openCdn(rule, bucket));
  const direct = await startDirectOrigin(bucket, createLog('silent'));
  const target: SmokeTarget = {
    ...{ config, origin: cdn.origin, pointer: POINTER, segment: SEGMENT, poster: POSTER },
    ...{ segmentBytes: SEGMENT_BYTES, playerBytes: PLAYER_BYTES },
    ...{ tokenKey: playbackTokens ? KEY : undefined, now: new Date() },
  };
  const buckets = {
    ...{ delivery: 'delivery', source: 'source', work: 'work' },
    addressOf: (_bucket: string, key: string) => `${direct.origin}/${key}`,
  };
  const probes = [
    ...viewerProbes(target),
    missingProbe(target, 'a video that is not there', `v/${ASSET.replace('0', '1')}/index.m3u8`),
    ...bucketProbes(target, 'talk.mp4', buckets),
    ...listingProbes(target, buckets),
  ];
  return { target, buckets, probes, edges: [cdn, direct] };
}

describe.each(Object.entries(STAGES))('The probes of %s', (_name, config) => {
  let edges: readonly Edge[];
  let probes: readonly Probe[];
  beforeAll(async () => ({ edges, probes } = await open(config)));
  afterAll(() => Promise.all(edges.map((edge) => edge.close())));

  test('A stage that is deployed as declared answers every probe right', async () => {
    const wrong: string[] = [];
    for (const { name, request, expected } of probes) {
      const what = findMismatch(expected, await sendRequest(request, stop));
      if (what !== undefined) wrong.push(`${name}: ${what}`);
    }
    expect(wrong).toEqual([]);
  });
});

type Change = (answer: ProbeResponse) => ProbeResponse;

const status =
  (changed: number): Change =>
  (answer) => ({ ...answer, status: changed });
const header =
  (name: string, value: string): Change =>
  (answer) => ({ ...answer, headers: { ...answer.headers, [name]: value } });
const without =
  (name: string): Change =>
  ({ headers: { [name]: _, ...headers }, ...answer }) => ({ ...answer, headers });
const body =
  (bytes: Uint8Array | string): Change =>
  (answer) => ({ ...answer, body: Buffer.from(bytes) });
const s3Says = body('<Error><Code>AccessDenied</Code></Error>');

/** Wrong answers to each probe, and a part of the description of each. */
const WRONG: Readonly<Record<string, readonly (readonly [change: Change, says: string])[]>> = {
  'a page of the site, without Origin': [
    [status(403), '403 instead of 200'],
    [header('access-control-allow-origin', 'https://other.site'), 'allow-origin'],
    [without('timing-allow-origin'), 'timing-allow-origin is ""'],
  ],
  'a page of the site, with Origin': [
    [without('access-control-allow-origin'), 'allow-origin is "" instead of "*"'],
    [header('access-control-expose-headers', 'Date'), 'expose-headers'],
    [without('x-content-type-options'), 'instead of "nosniff"'],
    [header('content-type', 'text/html'), 'content-type is "text/html"'],
  ],
  'a preflight of the site': [
    [status(403), '403 instead of 204'],
    [header('access-control-allow-headers', 'CMCD-Request'), 'allow-headers'],
    [header('access-control-allow-origin', '*'), 'instead of "https://my.site"'],
  ],
  'another site, with Origin': [
    [status(200), '200 instead of 403'],
    [header('access-control-allow-origin', '*'), 'allow-origin is "*" instead of ""'],
    [header('cache-control', 'max-age=10'), 'instead of "no-store"'],
    [s3Says, 'does not say "This site may not'],
  ],
  'another site, without Origin': [[status(200), '200 instead of 403']],
  'a preflight of another site': [[status(204), '204 instead of 403']],
  'nobody says where the request comes from': [[status(200), '200 instead of 403']],
  'a poster, for a link preview': [[status(403), '403 instead of 200']],
  'an address without a token': [
    [status(200), '200 instead of 403'],
    [s3Says, 'does not say'],
  ],
  'a token that has expired': [[status(403), '403 instead of 410']],
  'a token of another key': [[status(200), '200 instead of 403']],
  'an address with an escape': [[status(200), '200 instead of 403']],
  'a key that is not published': [[body('{}'), 'does not say "AccessDenied"']],
  'a whole segment': [
    [body('short'), '5 other bytes came instead of 1880'],
    [header('cache-control', 'no-store'), 'cache-control'],
  ],
  'a segment that the CDN has kept': [[header('x-cache', 'Miss from cloudfront'), 'x-cache']],
  'a range': [
    [status(200), '200 instead of 206'],
    [header('content-range', 'bytes 0-199/1880'), 'content-range'],
    [body(SEGMENT_BYTES.subarray(0, 200)), 'other bytes'],
  ],
  'the last bytes': [[body(SEGMENT_BYTES.subarray(0, 188)), 'other bytes']],
  'a range beyond the end': [[status(206), '206 instead of 416']],
  'compression with br': [
    [without('content-encoding'), 'content-encoding is "" instead of "br"'],
    [body('no Brotli'), 'not encoded as its header says'],
  ],
  'compression with gzip': [[header('content-encoding', 'br'), 'instead of "gzip"']],
  'without compression': [[header('content-encoding', 'br'), 'instead of ""']],
  'a video that is not there': [[status(404), '404 instead of 403']],
  'the delivery bucket past the CDN, which nobody may': [[status(200), '200 instead of 403']],
  'the delivery bucket past the CDN, from a page of the site': [[status(200), '200 instead']],
  'a listing of the delivery bucket': [[status(200), '200 instead of 403']],
  'the source past the CDN': [[status(200), '200 instead of 403']],
  'a listing of the source bucket': [[status(200), '200 instead of 403']],
  'a listing of the work bucket': [[status(200), '200 instead of 403']],
};

describe('Wrong answers to probes', () => {
  const right = new Map<string, ProbeResponse>();
  let probes: readonly Probe[];
  let edges: readonly Edge[];
  beforeAll(async () => {
    const config = stage({ ...base, playbackTokens: true });
    ({ probes, edges } = await open({ ...config, allowNoContext: false }));
    // Only a stage without tokens refuses a request without context.
    const plain = await open(stage(base));
    const silent = plain.probes.find(({ name }) => name.startsWith('nobody says'));
    probes = probes.map((one) => (one.name === silent?.name ? silent : one));
    edges = [...edges, ...plain.edges];
    for (const { name, request } of probes) right.set(name, await sendRequest(request, stop));
  });
  afterAll(() => Promise.all(edges.map((edge) => edge.close())));

  test('Every probe has wrong answers to try', () => {
    expect(probes.map(({ name }) => name).sort()).toEqual(Object.keys(WRONG).sort());
  });

  test.each(
    Object.entries(WRONG).flatMap(([name, changes]) =>
      changes.map(([change, says]) => [name, says, change] as const),
    ),
  )('The answer to %s is wrong: %s', (name, says, change) => {
    const expected = probes.find((one) => one.name === name)?.expected;
    const answer = right.get(name);
    if (!expected || !answer) throw new Error(`There is no ${name}.`);
    expect(findMismatch(expected, answer)).toBeUndefined();
    expect(findMismatch(expected, change(answer))).toContain(says);
  });
});

test('Plain HTTP is probed at the CDN, which redirects it, and at the bucket, which refuses it', async () => {
  const { target, buckets, edges } = await open(stage(base));
  const at = { ...target, origin: 'https://cdn.example' };
  const redirected = plainHttpProbe(at);
  expect(redirected.request.url).toBe(`http://cdn.example/${POINTER}`);
  const location = `https://cdn.example/${POINTER}`;
  const answer = { status: 301, headers: { location }, body: Buffer.from('') };
  expect(findMismatch(redirected.expected, answer)).toBeUndefined();
  expect(findMismatch(redirected.expected, { ...answer, status: 200 })).toContain(
    '200 instead of 301',
  );
  const addressOf = (bucket: string, key: string) => `https://${bucket}.s3.example/${key}`;
  const refused = plainBucketProbe(at, { ...buckets, addressOf });
  expect(refused.request.url).toBe(`http://delivery.s3.example/${POINTER}`);
  expect(findMismatch(refused.expected, { ...answer, status: 200 })).toContain(
    '200 instead of 403',
  );
  await Promise.all(edges.map((edge) => edge.close()));
});

test('A wildcard site stands for any of its subdomains', () => {
  expect(pageOf(stage({ ...base, allowedSites: ['https://*.my.site'] }))).toBe(
    'https://smoke.my.site',
  );
});
