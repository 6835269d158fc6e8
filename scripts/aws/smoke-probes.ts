import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { CORS, HEADERS } from '../../edge/behaviours.ts';
import { signAddress } from '../../edge/playback-token.ts';
import type { StageConfig } from '../../infra/config.ts';
import { PLAYER_KEY } from './player.ts';

/** One request of `./scripts/smoke`, and the expected answer. */
export interface Probe {
  readonly name: string;
  readonly request: ProbeRequest;
  readonly expected: Expectation;
  /** What to do if the answer differs. */
  readonly remedy: string;
  /** The most attempts until the answer is right, as edges cache different objects. Default: 1. */
  readonly tries?: number;
}

export interface ProbeRequest {
  readonly url: string;
  readonly method?: 'GET' | 'OPTIONS';
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ProbeResponse {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Expectation {
  readonly status: number;
  /** A missing header counts as empty. */
  readonly headers?: Readonly<Record<string, string | RegExp>>;
  /** The body, after any compression. */
  readonly body?: Uint8Array;
  /** A substring of the body. */
  readonly contains?: string;
}

/** A stage, and the objects that it serves during the run. */
export interface SmokeTarget {
  readonly config: StageConfig;
  /** The origin of the videos: `https://…`, without a trailing slash. */
  readonly origin: string;
  /** Keys of the delivery bucket. */
  readonly pointer: string;
  readonly segment: string;
  readonly poster: string;
  readonly segmentBytes: Uint8Array;
  readonly playerBytes: Uint8Array;
  /** The key that signs addresses. Undefined if the stage has no playback tokens. */
  readonly tokenKey: string | undefined;
  readonly now: Date;
}

const ELSEWHERE = 'https://elsewhere.example';
const FOREIGN = 'This site may not show the videos';
const TOKEN_SECONDS = 3600;

const ABSENT = '';
const READABLE = {
  'access-control-allow-origin': CORS.allowOrigin,
  'access-control-expose-headers': CORS.exposedHeaders.join(', '),
} as const;
const RESPONSE_HEADERS = Object.fromEntries(
  [...Object.entries(HEADERS), ['x-content-type-options', 'nosniff'] as const].map(
    ([name, value]) => [name.toLowerCase(), value],
  ),
);

/** The origin of a page that may show the stage's videos. */
export function pageOf({ allowedSites: [site = ''] }: StageConfig): string {
  return site.replace('*', 'smoke');
}

/** Describes how an answer differs from the expected one. Undefined if it does not. */
export function findMismatch(
  expected: Expectation,
  { status, headers, body }: ProbeResponse,
): string | undefined {
  if (status !== expected.status) {
    return `it is answered with ${status} instead of ${expected.status}: ${excerpt(body)}`;
  }
  for (const [name, wanted] of Object.entries(expected.headers ?? {})) {
    const value = headers[name] ?? ABSENT;
    if (typeof wanted === 'string' ? value === wanted : wanted.test(value)) continue;
    return `${name} is ${JSON.stringify(value)} instead of ${typeof wanted === 'string' ? JSON.stringify(wanted) : String(wanted)}`;
  }
  if (expected.contains !== undefined && !Buffer.from(body).includes(expected.contains)) {
    return `the answer does not say ${JSON.stringify(expected.contains)}: ${excerpt(body)}`;
  }
  if (expected.body === undefined) return undefined;
  const bytes = decoded(body, headers['content-encoding']);
  if (bytes === undefined) return 'the body is not encoded as its header says';
  return Buffer.compare(bytes, expected.body) === 0
    ? undefined
    : `${bytes.length} other bytes came instead of ${expected.body.length}`;
}

function decoded(body: Uint8Array, encoding: string | undefined): Uint8Array | undefined {
  try {
    if (encoding === 'br') return brotliDecompressSync(body);
    if (encoding === 'gzip') return gunzipSync(body);
    return encoding === undefined ? body : undefined;
  } catch {
    return undefined;
  }
}

function excerpt(body: Uint8Array): string {
  return JSON.stringify(Buffer.from(body).toString('latin1', 0, 100));
}

/** Requests a video that is not published, yet or any more, from the CDN: S3 answers 403 for a missing object. */
export function missingProbe(
  target: Pick<SmokeTarget, 'config' | 'origin' | 'tokenKey' | 'now'>,
  name: string,
  key: string,
): Probe {
  return {
    name,
    request: { url: addressesAt(target).good(key), headers: { origin: pageOf(target.config) } },
    expected: { status: 403, contains: 'AccessDenied' },
    remedy:
      "The CDN serves what the bucket does not have: see its cache policies (edge/behaviours.ts), or the delivery bucket's policy.",
  };
}

/** Requests to the CDN while the video is published, in this order. */
export function viewerProbes(target: SmokeTarget): readonly Probe[] {
  const { config, origin, pointer, segment, segmentBytes, playerBytes, tokenKey } = target;
  const { name: stage, allowNoContext, openPosters } = config;
  const page = pageOf(config);
  const at = addressesAt(target);
  const fromPage = { origin: page };
  const size = segmentBytes.length;
  const byTheFunction = `The edge function is another than this one: run ./scripts/deploy ${stage}, and wait some minutes until every edge has it.`;
  const byTheCdn = `The distribution is set up otherwise than infra/delivery.ts says: ./scripts/deploy ${stage} --plan shows the differences.`;
  const refused = (contains: string, status = 403): Expectation => ({
    status,
    contains,
    headers: { 'cache-control': 'no-store' },
  });
  const foreign = (
    name: string,
    headers: ProbeRequest['headers'],
    method: ProbeRequest['method'] = 'GET',
  ): Probe => ({
    name,
    request: { url: at.good(pointer), method, ...(headers ? { headers } : {}) },
    expected: {
      ...refused(FOREIGN),
      headers: { 'cache-control': 'no-store', 'access-control-allow-origin': ABSENT },
    },
    remedy: byTheFunction,
  });
  const ok200 = (headers: Expectation['headers'] = {}): Expectation => ({
    status: 200,
    headers: { ...RESPONSE_HEADERS, ...headers },
  });
  const allowsNoContext = tokenKey !== undefined || allowNoContext;
  return [
    {
      name: 'a page of the site, without Origin',
      request: { url: at.good(pointer), headers: { referer: `${page}/` } },
      expected: ok200({ 'access-control-allow-origin': /^\*?$/ }),
      remedy: byTheFunction,
    },
    {
      name: 'a page of the site, with Origin',
      request: { url: at.good(pointer), headers: fromPage },
      expected: ok200({ ...READABLE, 'content-type': 'application/vnd.apple.mpegurl' }),
      remedy: byTheCdn,
    },
    {
      name: 'a preflight of the site',
      request: {
        url: at.good(segment),
        method: 'OPTIONS',
        headers: {
          ...fromPage,
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'range',
        },
      },
      expected: {
        status: 204,
        headers: {
          'access-control-allow-origin': page,
          'access-control-allow-headers': /\bRange\b/,
        },
      },
      remedy: byTheFunction,
    },
    foreign('another site, with Origin', { origin: ELSEWHERE }),
    foreign('another site, without Origin', { referer: `${ELSEWHERE}/` }),
    foreign('a preflight of another site', { origin: ELSEWHERE }, 'OPTIONS'),
    allowsNoContext
      ? {
          name: 'nobody says where the request comes from',
          request: { url: at.good(pointer) },
          expected: ok200(),
          remedy: byTheFunction,
        }
      : foreign('nobody says where the request comes from', undefined),
    {
      name: 'a poster, for a link preview',
      request: { url: `${origin}/${target.poster}` },
      expected:
        openPosters || (tokenKey === undefined && allowNoContext)
          ? ok200({ 'content-type': 'image/jpeg' })
          : refused(tokenKey === undefined ? FOREIGN : 'with a token that its address lacks'),
      remedy: byTheFunction,
    },
    ...(tokenKey === undefined ? [] : tokenProbes()),
    {
      name: 'an address with an escape',
      request: { url: at.good(pointer).replace('index', '%69ndex'), headers: fromPage },
      expected:
        tokenKey === undefined
          ? refused('Addresses here have no escapes', 404)
          : refused('with a token that its address lacks'),
      remedy: byTheFunction,
    },
    {
      name: 'a key that is not published',
      request: {
        url: at.good(`${pointer.replace('index.m3u8', '')}private.json`),
        headers: fromPage,
      },
      expected: { status: 403, contains: 'AccessDenied' },
      remedy: byTheCdn,
    },
    {
      name: 'a whole segment',
      request: { url: at.good(segment), headers: fromPage },
      expected: {
        ...ok200({ ...READABLE, 'accept-ranges': 'bytes', 'cache-control': /\bimmutable\b/ }),
        body: segmentBytes,
      },
      remedy: byTheCdn,
    },
    {
      name: 'a segment that the CDN has kept',
      request: { url: at.good(segment), headers: fromPage },
      expected: { status: 200, headers: { 'x-cache': /Hit from cloudfront/ } },
      remedy: byTheCdn,
      tries: 5,
    },
    {
      name: 'a range',
      request: { url: at.good(segment), headers: { ...fromPage, range: 'bytes=100-299' } },
      expected: {
        status: 206,
        headers: { ...READABLE, 'content-range': `bytes 100-299/${size}` },
        body: segmentBytes.subarray(100, 300),
      },
      remedy: byTheCdn,
    },
    {
      name: 'the last bytes',
      request: { url: at.good(segment), headers: { ...fromPage, range: 'bytes=-188' } },
      expected: {
        status: 206,
        headers: { 'content-range': `bytes ${size - 188}-${size - 1}/${size}` },
        body: segmentBytes.subarray(size - 188),
      },
      remedy: byTheCdn,
    },
    {
      name: 'a range beyond the end',
      request: { url: at.good(segment), headers: { ...fromPage, range: `bytes=${size}-` } },
      expected: { status: 416 },
      remedy: byTheCdn,
    },
    ...(['br', 'gzip', 'identity'] as const).map((encoding): Probe => ({
      name: encoding === 'identity' ? 'without compression' : `compression with ${encoding}`,
      request: {
        url: `${origin}/${PLAYER_KEY}`,
        headers: { ...fromPage, 'accept-encoding': encoding },
      },
      expected: {
        ...ok200({ 'content-encoding': encoding === 'identity' ? ABSENT : encoding }),
        body: playerBytes,
      },
      remedy: byTheCdn,
      // A busy edge of CloudFront passes an object on uncompressed.
      tries: 3,
    })),
  ];

  function tokenProbes(): readonly Probe[] {
    const probe = (name: string, url: string, expected: Expectation): Probe => ({
      name,
      expected,
      remedy: byTheFunction,
      request: { url, headers: fromPage },
    });
    return [
      probe(
        'an address without a token',
        `${origin}/${pointer}`,
        refused('with a token that its address lacks'),
      ),
      probe('a token that has expired', at.expired(pointer), refused('has expired', 410)),
      probe('a token of another key', at.forged(pointer), refused('is not right')),
    ];
  }
}

/** A request by plain HTTP, which a CDN on loopback cannot tell apart. */
export function plainHttpProbe({ config, origin, pointer }: SmokeTarget): Probe {
  const url = `${origin}/${pointer}`;
  return {
    name: 'the CDN by plain HTTP',
    request: { url: url.replace(/^https:/, 'http:'), headers: { origin: pageOf(config) } },
    expected: { status: 301, headers: { location: url } },
    remedy: `./scripts/deploy ${config.name} --plan shows how the distribution differs from infra/delivery.ts.`,
  };
}

/** The names of the buckets; `addressOf` gives an object's own address at S3. */
export interface Buckets {
  readonly delivery: string;
  readonly source: string;
  readonly work: string;
  readonly addressOf: (bucket: string, key: string) => string;
}

/** Requests to S3 itself, past the CDN, without credentials. */
export function bucketProbes(
  target: SmokeTarget,
  sourceKey: string,
  { delivery, source, addressOf }: Buckets,
): readonly Probe[] {
  const { config, pointer } = target;
  const isOpen = config.accessMode === 'public-read';
  const probe = (name: string, url: string, status: number, headers = {}): Probe => ({
    name,
    remedy: policyRemedy(config),
    expected: { status },
    request: { url, headers },
  });
  const who = isOpen ? 'anybody may read' : 'nobody may';
  const address = addressOf(delivery, pointer);
  const status = isOpen ? 200 : 403;
  return [
    probe(`the delivery bucket past the CDN, which ${who}`, address, status),
    probe('the delivery bucket past the CDN, from a page of the site', address, status, {
      referer: `${pageOf(config)}/`,
    }),
    probe('the source past the CDN', addressOf(source, sourceKey), 403),
  ];
}

/** Nobody may list a bucket, whatever the access mode. */
export function listingProbes(
  { config }: SmokeTarget,
  { delivery, source, work, addressOf }: Buckets,
): readonly Probe[] {
  return Object.entries({ delivery, source, work }).map(([role, bucket]) => ({
    name: `a listing of the ${role} bucket`,
    request: { url: addressOf(bucket, '?list-type=2') },
    expected: { status: 403 },
    remedy: policyRemedy(config),
  }));
}

function policyRemedy({ name }: StageConfig): string {
  return `Another policy than the stage's is on this bucket: run ./scripts/deploy ${name}.`;
}

/** The bucket refuses plain HTTP, whatever the access mode. */
export function plainBucketProbe(
  { config, pointer }: SmokeTarget,
  { delivery, addressOf }: Buckets,
): Probe {
  return {
    name: 'the delivery bucket by plain HTTP',
    request: { url: addressOf(delivery, pointer).replace(/^https:/, 'http:') },
    expected: { status: 403 },
    remedy: `The bucket's policy lacks OnlyByTls: run ./scripts/deploy ${config.name}.`,
  };
}

/** Addresses at the CDN, with a token if the stage requires one. */
function addressesAt({ origin, tokenKey, now }: Pick<SmokeTarget, 'origin' | 'tokenKey' | 'now'>) {
  const signed = (key: string, path: string, since: Date) =>
    tokenKey === undefined
      ? `${origin}/${path}`
      : signAddress(`${origin}/${path}`, key, TOKEN_SECONDS, since);
  return {
    good: (path: string) => signed(tokenKey ?? '', path, now),
    expired: (path: string) => signed(tokenKey ?? '', path, new Date(0)),
    forged: (path: string) => signed(`not ${tokenKey}`, path, now),
  };
}
