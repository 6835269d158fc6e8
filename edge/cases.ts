import { createHmac } from 'node:crypto';
import { requestWith } from './event.ts';
import type { EdgeEvent } from './event.ts';
import type { EdgeAnswer } from './local/edge-function.ts';
import type { EdgeRule } from './source.ts';

/** A request, and how the edge function must answer it in every engine: node:vm, njs and CloudFront's own. */
export interface Case {
  readonly about: string;
  readonly rule: RuleName;
  readonly event: EdgeEvent;
  readonly answer: EdgeAnswer;
}

export const SITE = 'https://site.example';
const PORT = 'https://other.example:8443';
const EVIL = 'https://evil.example';
const ASSET = '0123456789abcdef0123';
const OTHER_ASSET = 'fedcba98765432100123';
const VERSION = `${ASSET}/0123456789abcdef`;
const PLAYLIST = `/v/${ASSET}/index.m3u8`;
const SEGMENT = `/v/${VERSION}/720p/00000.ts`;
const POSTER = `/v/${VERSION}/images/poster.jpg`;
const PLAYER = '/player/vod-player.js';
const CURRENT = 'the key that is signed with';
const PREVIOUS = 'the key before it';

const allowedSites = [
  SITE,
  PORT,
  'http://localhost:3000',
  'http://[::1]:8080',
  'https://kiosk.example',
  'https://*.wild.example',
  'https://*.port.example:8443',
  'https://*.Deep.Wild2.Example',
];
const closed = { allowedSites, allowNoContext: false };
const tokenKeys = [CURRENT, PREVIOUS];

/** The rules of the cases. `apps` are stages that allow requests without context. */
export const RULES = {
  closed,
  apps: { ...closed, allowNoContext: true },
  posters: { ...closed, openPosters: true },
  tokens: { ...closed, tokenKeys },
  'tokens, apps': { ...closed, tokenKeys, allowNoContext: true },
  'tokens, posters': { ...closed, tokenKeys, openPosters: true },
  'one token key': { ...closed, tokenKeys: [CURRENT] },
} as const satisfies Readonly<Record<string, EdgeRule>>;

export type RuleName = keyof typeof RULES;

type Headers = readonly (readonly [name: string, value: string])[];
type Row = readonly [about: string, headers: Headers, answer: EdgeAnswer];

const origin = (value: string): Headers => [['Origin', value]];
const referer = (value: string): Headers => [['Referer', value]];
const fetchSite = (value: string): Headers => [['Sec-Fetch-Site', value]];

function passes(uri = PLAYLIST): EdgeAnswer {
  return { kind: 'request', uri };
}

const FOREIGN = 'This site may not show the videos kept here.';
const NO_TOKEN = 'This video is fetched with a token that its address lacks.';
const WRONG_TOKEN = 'The token in the address of this video is not right.';

/** A refusal. A page of `origin`, if there is one, can read it. */
function refused(sentence: string, origin?: string, status = 403, more = {}): EdgeAnswer {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    ...cors(origin),
    ...more,
  };
  return { kind: 'reply', reply: { status, headers, body: `${sentence}\n` } };
}

function expired(origin?: string): EdgeAnswer {
  return refused('The address of this video has expired.', origin, 410);
}

function notFound(origin?: string): EdgeAnswer {
  return refused('There is no such address. Addresses here have no escapes.', origin, 404);
}

function cors(origin: string | undefined) {
  if (origin === undefined) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'Content-Length, Content-Range, Date, ETag',
    vary: 'Origin',
  };
}

function preflight(origin: string): EdgeAnswer {
  const headers = {
    ...cors(origin),
    'access-control-allow-methods': 'GET, HEAD, OPTIONS',
    'access-control-allow-headers':
      'Range, CMCD-Request, CMCD-Object, CMCD-Status, CMCD-Session, X-Playback-Session-Id',
    'access-control-max-age': '7200',
    'cache-control': 'no-store',
  };
  return { kind: 'reply', reply: { status: 204, headers } };
}

function wrongMethod(origin?: string): EdgeAnswer {
  return refused('Videos can only be fetched.', origin, 405, { allow: 'GET, HEAD, OPTIONS' });
}

const foreign = refused(FOREIGN);

type Token = (given?: {
  readonly asset?: string;
  readonly expiry?: string;
  readonly key?: string;
}) => string;

/** Signs tokens independently of edge/playback-token.ts. */
function tokensAt(seconds: number): Token {
  return ({ asset = ASSET, expiry = String(seconds + 3600), key = CURRENT } = {}) => {
    const signed = createHmac('sha256', key).update(`${expiry}/v/${asset}/`);
    return `/t/${expiry}.${signed.digest('base64url')}`;
  };
}

function cases(rule: RuleName, rows: readonly Row[], { method = 'GET', url = PLAYLIST } = {}) {
  return rows.map(([about, headers, answer]): Case => {
    const event = requestWith(headers, { method, url });
    return { about: `${rule}: ${method} ${about}`, rule, event, answer };
  });
}

/** One case for each address, with the same headers. */
function addresses(
  rule: RuleName,
  headers: Headers,
  rows: readonly (readonly [about: string, url: string, answer: EdgeAnswer])[],
): readonly Case[] {
  return rows.flatMap(([about, url, answer]) => cases(rule, [[about, headers, answer]], { url }));
}

const ORIGINS: readonly Row[] = [
  ['an allowed origin', origin(SITE), passes()],
  ['an allowed origin with its port', origin(PORT), passes()],
  ['an allowed origin in capitals', origin('HTTPS://SITE.EXAMPLE'), passes()],
  ['an allowed origin by http', origin('http://localhost:3000'), passes()],
  ['an allowed origin with an IP address', origin('http://[::1]:8080'), passes()],
  ['another origin', origin(EVIL), foreign],
  ['the same host on another port', origin(`${SITE}:444`), foreign],
  ['the same host with its default port written out', origin(`${SITE}:443`), foreign],
  ['the same host without its port', origin('https://other.example'), foreign],
  ['the same host on a prefix of its port', origin('https://other.example:84'), foreign],
  [
    'the same host on a longer port with that prefix',
    origin('https://other.example:84430'),
    foreign,
  ],
  ['the same host by http', origin('http://site.example'), foreign],
  ['the same host by https instead of http', origin('https://localhost:3000'), foreign],
  ['the same host by another scheme', origin('chrome-extension://site.example'), foreign],
  ['a host with the allowed host as its prefix', origin(`${SITE}.evil.example`), foreign],
  ['a host with the allowed host as its suffix', origin('https://evilsite.example'), foreign],
  ['a prefix of the allowed host', origin('https://site.exampl'), foreign],
  ['a host that ends with a dot', origin(`${SITE}.`), foreign],
  ['a subdomain', origin('https://www.site.example'), foreign],
  ['the parent domain', origin('https://example'), foreign],
  ['an origin with a slash, which no browser sends', origin(`${SITE}/`), foreign],
  ['an origin with a path', origin(`${SITE}/page`), foreign],
  ['another origin with the allowed one as its user name', origin(`${SITE}@evil.example`), foreign],
  ['an origin without a scheme', origin('site.example'), foreign],
  ['an origin with a leading space', origin(` ${SITE}`), foreign],
  ['an origin with a trailing space', origin(`${SITE} `), foreign],
  ['an origin with a trailing line break', origin(`${SITE}\n`), foreign],
  ['two origins separated by a space', origin(`${SITE} ${SITE}`), foreign],
  ['two origins separated by a comma', origin(`${SITE}, ${SITE}`), foreign],
  ['an opaque origin', origin('null'), foreign],
  ['an empty origin', origin(''), foreign],
  ['a star as the origin', origin('*'), foreign],
  ['the origin "constructor", a property of every object', origin('constructor'), foreign],
  ['the origin "__proto__", a property of every object', origin('__proto__'), foreign],
  ['a Kelvin sign, which is "k" in lower case', origin('https://\u212aiosk.example'), foreign],
  ['two Origin headers, both allowed', [...origin(SITE), ...origin(SITE)], foreign],
  ['two Origin headers, the first allowed', [...origin(SITE), ...origin(EVIL)], foreign],
  ['two Origin headers, the second allowed', [...origin(EVIL), ...origin(SITE)], foreign],
  ['another origin and an allowed referer', [...origin('null'), ...referer(`${SITE}/`)], foreign],
  ['an empty origin and an allowed referer', [...origin(''), ...referer(`${SITE}/`)], foreign],
  ['an allowed origin and another referer', [...origin(SITE), ...referer(`${EVIL}/`)], passes()],
  [
    'an allowed origin and Sec-Fetch-Site: cross-site',
    [...origin(SITE), ...fetchSite('cross-site')],
    passes(),
  ],
  [
    'another origin and Sec-Fetch-Site: same-site',
    [...origin(EVIL), ...fetchSite('same-site')],
    foreign,
  ],
];

const WILDCARDS: readonly Row[] = [
  ['a subdomain', origin('https://www.wild.example'), passes()],
  ['a subdomain of a subdomain', origin('https://a.b-c.wild.example'), passes()],
  ['a subdomain five deep', origin('https://a.b.c.d.e.wild.example'), passes()],
  ['a subdomain in capitals', origin('HTTPS://WWW.WILD.EXAMPLE'), passes()],
  ['a subdomain in punycode', origin('https://xn--mnchen-3ya.wild.example'), passes()],
  ['a subdomain with an underscore', origin('https://a_b.wild.example'), passes()],
  [
    'a subdomain of a site configured in capitals',
    origin('https://a.deep.wild2.example'),
    passes(),
  ],
  ['a subdomain on its port', origin('https://www.port.example:8443'), passes()],
  ['the host itself', origin('https://wild.example'), foreign],
  ['a subdomain without the port', origin('https://www.port.example'), foreign],
  ['a subdomain on another port', origin('https://www.wild.example:8443'), foreign],
  ['a subdomain by http', origin('http://www.wild.example'), foreign],
  ['a host with the allowed host as its suffix', origin('https://evilwild.example'), foreign],
  [
    'a host with the allowed host as its prefix',
    origin('https://www.wild.example.evil.example'),
    foreign,
  ],
  ['a host that ends with a dot', origin('https://www.wild.example.'), foreign],
  ['an empty label', origin('https://.wild.example'), foreign],
  ['an empty label in the middle', origin('https://a..wild.example'), foreign],
  ['the star itself', origin('https://*.wild.example'), foreign],
  ['a star before a subdomain', origin('https://*.www.wild.example'), foreign],
  [
    'a subdomain with another host as its user name',
    origin('https://evil.example@www.wild.example'),
    foreign,
  ],
  [
    'another host with a path that ends like it',
    origin('https://evil.example/www.wild.example'),
    foreign,
  ],
  [
    'another host with a query that ends like it',
    origin('https://evil.example?.wild.example'),
    foreign,
  ],
  [
    'another host with a hash that ends like it',
    origin('https://evil.example#.wild.example'),
    foreign,
  ],
  [
    'another host and port that end like it',
    origin('https://evil.example:1.wild.example'),
    foreign,
  ],
  ['another host and a backslash', origin('https://evil.example\\.wild.example'), foreign],
  ['a line break before the host', origin('https://evil.example\n.wild.example'), foreign],
  ['a line break after the host', origin('https://www.wild.example\n'), foreign],
  ['the scheme alone', origin('https://'), foreign],
  ['the suffix alone', origin('.wild.example'), foreign],
  ['the referer of a subdomain', referer('https://www.wild.example/a?b'), passes()],
  ['the referer of the host itself', referer('https://wild.example/'), foreign],
  [
    'another referer with a subdomain as its user name',
    referer('https://www.wild.example@evil.example/'),
    foreign,
  ],
  [
    'another referer with a subdomain in its path',
    referer('https://evil.example/www.wild.example'),
    foreign,
  ],
];

const REFERERS: readonly Row[] = [
  ['an allowed referer', referer(`${SITE}/`), passes()],
  [
    'an allowed referer with a path and a query',
    referer(`${SITE}/a/b?c=https://x.example#d`),
    passes(),
  ],
  ['an allowed referer without a slash', referer(SITE), passes()],
  ['an allowed referer with a query after the host', referer(`${SITE}?a`), passes()],
  ['an allowed referer with a fragment after the host', referer(`${SITE}#a`), passes()],
  ['an allowed referer with its port', referer(`${PORT}/a`), passes()],
  ['an allowed referer in capitals', referer('https://SITE.example/Talks'), passes()],
  ['another referer', referer(`${EVIL}/`), foreign],
  ['a referer on another port', referer(`${SITE}:444/`), foreign],
  ['a referer by http', referer('http://site.example/'), foreign],
  ['a referer with the allowed origin as its prefix', referer(`${SITE}.evil.example/`), foreign],
  ['a referer with the allowed origin as its user name', referer(`${SITE}@evil.example/`), foreign],
  [
    'a referer with the allowed origin as user name and password',
    referer(`${SITE}:x@evil.example/`),
    foreign,
  ],
  ['a referer with the allowed origin in its path', referer(`${EVIL}/${SITE}/`), foreign],
  ['a referer with the allowed origin in its query', referer(`${EVIL}/?${SITE}/`), foreign],
  ['a referer with the allowed origin in its fragment', referer(`${EVIL}/#${SITE}/`), foreign],
  ['a referer with a backslash', referer(`${SITE}\\@evil.example/`), foreign],
  ['a referer that is not a URL', referer('site.example'), foreign],
  ['a referer without a host', referer('https:///site.example'), foreign],
  ['a referer with a trailing line break', referer(`${SITE}\n`), foreign],
  ['a referer with a leading line', referer(`x\n${SITE}/`), foreign],
  ['a referer of another scheme', referer('android-app://site.example/'), foreign],
  ['the referer about:blank', referer('about:blank'), foreign],
  ['the referer null', referer('null'), foreign],
  ['two Referer headers', [...referer(`${SITE}/`), ...referer(`${SITE}/`)], foreign],
  [
    'another referer and Sec-Fetch-Site: same-site',
    [...referer(`${EVIL}/`), ...fetchSite('same-site')],
    foreign,
  ],
  [
    'an allowed referer and Sec-Fetch-Site: cross-site',
    [...referer(`${SITE}/`), ...fetchSite('cross-site')],
    passes(),
  ],
  [
    'an empty referer and Sec-Fetch-Site: same-site',
    [...referer(''), ...fetchSite('same-site')],
    passes(),
  ],
  [
    'an empty referer and Sec-Fetch-Site: cross-site',
    [...referer(''), ...fetchSite('cross-site')],
    foreign,
  ],
];

const FETCH_SITES: readonly Row[] = [
  ['Sec-Fetch-Site: same-origin', fetchSite('same-origin'), passes()],
  ['Sec-Fetch-Site: same-site', fetchSite('same-site'), passes()],
  ['Sec-Fetch-Site: cross-site', fetchSite('cross-site'), foreign],
  ['Sec-Fetch-Site: none, of a typed address', fetchSite('none'), foreign],
  ['an empty Sec-Fetch-Site', fetchSite(''), foreign],
  ['Sec-Fetch-Site in capitals', fetchSite('SAME-ORIGIN'), foreign],
  [
    'two Sec-Fetch-Site headers',
    [...fetchSite('same-origin'), ...fetchSite('same-origin')],
    foreign,
  ],
];

const NO_CONTEXT: readonly Row[] = [
  ['no context', [], foreign],
  ['an empty referer', referer(''), foreign],
  [
    'headers named like properties of every object',
    [
      ['__proto__', 'x'],
      ['constructor', 'x'],
    ],
    foreign,
  ],
  ['a forwarded host', [['X-Forwarded-Host', 'site.example']], foreign],
  ['a cookie', [['Cookie', `origin=${SITE}`]], foreign],
];

const methods = (token: Token): readonly Case[] => [
  ...cases(
    'closed',
    [
      ['a preflight of an allowed origin', origin(SITE), preflight(SITE)],
      [
        'a preflight of a subdomain',
        origin('https://a.wild.example'),
        preflight('https://a.wild.example'),
      ],
      ['a preflight of another origin', origin(EVIL), foreign],
      ['a preflight of an opaque origin', origin('null'), foreign],
      ['a preflight of two origins', [...origin(SITE), ...origin(SITE)], foreign],
      ['a preflight without an origin', referer(`${SITE}/`), foreign],
      ['a preflight without context', [], foreign],
    ],
    { method: 'OPTIONS' },
  ),
  ...cases('apps', [['a preflight without context', [], foreign]], { method: 'OPTIONS' }),
  // A preflight succeeds whatever its token; only the request itself needs a valid one.
  ...cases('tokens', [['a preflight', origin(SITE), preflight(SITE)]], {
    method: 'OPTIONS',
    url: SEGMENT,
  }),
  ...cases('tokens', [['a preflight of another origin', origin(EVIL), foreign]], {
    method: 'OPTIONS',
    url: token() + PLAYLIST,
  }),
  ...cases(
    'closed',
    [
      ['an allowed origin', origin(SITE), passes()],
      ['another origin', origin(EVIL), foreign],
    ],
    { method: 'HEAD' },
  ),
  ...['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'TRACE', 'get'].flatMap((method) =>
    cases('closed', [['an allowed origin', origin(SITE), wrongMethod(SITE)]], { method }),
  ),
  ...cases('closed', [['another origin', origin(EVIL), wrongMethod()]], { method: 'POST' }),
  ...cases('apps', [['no context', [], wrongMethod()]], { method: 'POST' }),
  ...cases('tokens', [['a token', origin(SITE), wrongMethod(SITE)]], {
    method: 'POST',
    url: token() + PLAYLIST,
  }),
];

const escapes = (token: Token): readonly Case[] =>
  addresses('closed', origin(SITE), [
    ['a query', `${PLAYLIST}?a=b`, passes()],
    ...[
      ['an escaped letter', PLAYLIST.replace('index', '%69ndex')],
      ['an escaped letter, in lower case', PLAYLIST.replace('index', 'inde%6a')],
      ['an escaped slash', PLAYLIST.replace('/index', '%2Findex')],
      ['an escaped dot', PLAYLIST.replace('.m3u8', '%2Em3u8')],
      ['an escape of an escape', PLAYLIST.replace('index', '%2569ndex')],
      ['an escaped name', '/v/%232%204%20x.m3u8?a=b'],
      ['an invalid escape', '/v/%zz.m3u8'],
      ['a doubled slash at the start', `/${PLAYLIST}`],
      ['a doubled slash in the middle', PLAYLIST.replace('/index', '//index')],
      ['a slash at the end', `${PLAYLIST}/`],
      ['a segment of two dots', `/v/x/..${PLAYLIST.slice(2)}`],
      ['a segment of one dot', `/v/.${PLAYLIST.slice(2)}`],
      ['a letter beyond ASCII', '/v/\u00e4/index.m3u8'],
      ['a trailing line break', `${PLAYLIST}\n`],
      ['a leading line', `/x\n${PLAYLIST}`],
      ['a plus sign', '/v/a+b.m3u8'],
      ['a semicolon', `${PLAYLIST};a`],
      ['the root', '/'],
    ].map(([about = '', url = '']) => [about, url, notFound(SITE)] as const),
    ['the player', PLAYER, passes(PLAYER)],
    ['a token in a stage without tokens', token() + PLAYLIST, passes(token() + PLAYLIST)],
  ]);

const POSTERS: readonly Case[] = [
  ...addresses(
    'posters',
    [],
    [
      ['a poster', POSTER, passes(POSTER)],
      ['a poster with a query', `${POSTER}?width=9`, passes(POSTER)],
      [
        'a thumbnail',
        `/v/${VERSION}/images/thumbnail-640.jpg`,
        passes(`/v/${VERSION}/images/thumbnail-640.jpg`),
      ],
      ['a storyboard', `/v/${VERSION}/images/storyboard-0.jpg`, foreign],
      ['a thumbnail without a width', `/v/${VERSION}/images/thumbnail-.jpg`, foreign],
      ['a playlist below a poster', `${POSTER}/index.m3u8`, foreign],
      ['an escaped name of a poster', `/v/${VERSION}/images/%70oster.jpg`, foreign],
      ['a poster after two dots', '/v/0123/../0123/images/poster.jpg', foreign],
      ['a poster in a query', `${SEGMENT}?${POSTER}`, foreign],
      ['a poster in capitals', POSTER.toUpperCase(), foreign],
      ['a poster with a trailing line break', `${POSTER}\n`, foreign],
      ['a poster with a leading line', `/x\n${POSTER}`, foreign],
      ['a playlist', PLAYLIST, foreign],
    ],
  ),
  ...addresses('posters', origin(EVIL), [['a poster on another site', POSTER, passes(POSTER)]]),
  ...addresses('posters', fetchSite('cross-site'), [
    ['a poster on another site', POSTER, passes(POSTER)],
  ]),
  ...addresses('closed', [], [['a poster', POSTER, foreign]]),
  ...addresses(
    'apps',
    [],
    [['an escaped letter', PLAYLIST.replace('index', '%69ndex'), notFound()]],
  ),
  ...addresses('closed', origin(EVIL), [['a poster', POSTER, foreign]]),
];

/** Cases of addresses with tokens. */
function tokenAddresses(token: Token, seconds: number, leewaySeconds: number): readonly Case[] {
  const past = String(seconds - leewaySeconds);
  const PREVIOUS_TOKEN = token({ key: PREVIOUS });
  const EXPIRED_TOKEN = token({ expiry: String(seconds - 1 - leewaySeconds) });
  const [, , good = ''] = token().split('/');
  const [expiry = '', signature = ''] = good.split('.');

  return [
    ...addresses('tokens', origin(SITE), [
      ['a pointer', token() + PLAYLIST, passes()],
      ['a segment', token() + SEGMENT, passes(SEGMENT)],
      ['a poster', token() + POSTER, passes(POSTER)],
      ['a segment with a query', `${token()}${SEGMENT}?a=b`, passes(SEGMENT)],
      ['the previous key', PREVIOUS_TOKEN + SEGMENT, passes(SEGMENT)],
      [
        'a token that expires in a second',
        token({ expiry: String(seconds + 1 + leewaySeconds) }) + SEGMENT,
        passes(SEGMENT),
      ],
      ['a token that expires now', token({ expiry: past }) + SEGMENT, expired(SITE)],
      ['a token that expired a second ago', EXPIRED_TOKEN + SEGMENT, expired(SITE)],
      ['a token that expired in 1970', token({ expiry: '1' }) + SEGMENT, expired(SITE)],
      [
        'an expired token of the previous key',
        token({ expiry: '1', key: PREVIOUS }) + SEGMENT,
        expired(SITE),
      ],
      [
        'a token of an unknown key',
        token({ key: 'another' }) + SEGMENT,
        refused(WRONG_TOKEN, SITE),
      ],
      ['a token of a blank key', token({ key: ' ' }) + SEGMENT, refused(WRONG_TOKEN, SITE)],
      [
        'an expired token of an unknown key',
        token({ expiry: '1', key: 'another' }) + SEGMENT,
        refused(WRONG_TOKEN, SITE),
      ],
      [
        'a token with a later expiry than it was signed for',
        `/t/${seconds + 7200}.${signature}${SEGMENT}`,
        refused(WRONG_TOKEN, SITE),
      ],
      [
        'an expiry with a leading zero',
        `/t/0${expiry}.${signature}${SEGMENT}`,
        refused(WRONG_TOKEN, SITE),
      ],
      ['another asset', `${token()}/v/${OTHER_ASSET}/index.m3u8`, refused(WRONG_TOKEN, SITE)],
      [
        'an asset whose id has the signed id as its prefix',
        `${token()}/v/${ASSET}0/index.m3u8`,
        refused(WRONG_TOKEN, SITE),
      ],
      [
        'an asset whose id is a suffix of the signed id',
        `${token()}/v/${ASSET.slice(1)}/index.m3u8`,
        refused(WRONG_TOKEN, SITE),
      ],
      [
        'another signature',
        `/t/${expiry}.${signature.replace(/./, (one) => (one === 'A' ? 'B' : 'A'))}${SEGMENT}`,
        refused(WRONG_TOKEN, SITE),
      ],
      [
        'a signature in lower case',
        `/t/${expiry}.${signature.toLowerCase()}${SEGMENT}`,
        refused(WRONG_TOKEN, SITE),
      ],
      [
        'a signature cut short',
        `/t/${expiry}.${signature.slice(1)}${SEGMENT}`,
        refused(NO_TOKEN, SITE),
      ],
      [
        'a signature that is too long',
        `/t/${expiry}.${signature}A${SEGMENT}`,
        refused(NO_TOKEN, SITE),
      ],
      ['a padded signature', `/t/${expiry}.${signature}=${SEGMENT}`, refused(NO_TOKEN, SITE)],
      ['no signature', `/t/${expiry}.${SEGMENT}`, refused(NO_TOKEN, SITE)],
      ['no expiry', `/t/.${signature}${SEGMENT}`, refused(NO_TOKEN, SITE)],
      ['an expiry below zero', `/t/-1.${signature}${SEGMENT}`, refused(NO_TOKEN, SITE)],
      [
        'an expiry that is no number',
        `/t/Infinity.${signature}${SEGMENT}`,
        refused(NO_TOKEN, SITE),
      ],
      [
        'an expiry that is too long',
        `/t/${'9'.repeat(12)}.${signature}${SEGMENT}`,
        refused(NO_TOKEN, SITE),
      ],
      ['no token', SEGMENT, refused(NO_TOKEN, SITE)],
      ['a token in the query', `${SEGMENT}?${token()}`, refused(NO_TOKEN, SITE)],
      ['a token after the path', SEGMENT + token(), refused(NO_TOKEN, SITE)],
      ['a token twice', token() + token() + SEGMENT, refused(NO_TOKEN, SITE)],
      ['a token below another segment', `/x${token()}${SEGMENT}`, refused(NO_TOKEN, SITE)],
      ['a token alone', token(), refused(NO_TOKEN, SITE)],
      ['a token and the asset alone', `${token()}/v/${ASSET}/`, refused(NO_TOKEN, SITE)],
      ['a token and another prefix', `${token()}/private/${ASSET}/x`, refused(NO_TOKEN, SITE)],
      [
        'a token and dots to another asset',
        `${token()}/v/${ASSET}/../${OTHER_ASSET}/index.m3u8`,
        refused(NO_TOKEN, SITE),
      ],
      [
        'a token and escaped dots',
        `${token()}/v/${ASSET}/%2e%2e/${OTHER_ASSET}/index.m3u8`,
        refused(NO_TOKEN, SITE),
      ],
      [
        'a token and an escaped slash',
        `${token()}/v/${ASSET}/..%2f${OTHER_ASSET}/index.m3u8`,
        refused(NO_TOKEN, SITE),
      ],
      [
        'a token and a backslash',
        `${token()}/v/${ASSET}/..\\${OTHER_ASSET}/index.m3u8`,
        refused(NO_TOKEN, SITE),
      ],
      ['a token and a trailing line break', `${token()}${SEGMENT}\n`, refused(NO_TOKEN, SITE)],
      ['the player with a trailing line break', `${PLAYER}\n`, refused(NO_TOKEN, SITE)],
      [
        'a token and an empty segment',
        `${token()}/v/${ASSET}//index.m3u8`,
        refused(NO_TOKEN, SITE),
      ],
      ['an escaped token', `/%74${token().slice(2)}${SEGMENT}`, refused(NO_TOKEN, SITE)],
      ['the player, without a token', PLAYER, passes(PLAYER)],
      ['a segment below the player and two dots', `/player/..${SEGMENT}`, refused(NO_TOKEN, SITE)],
      ['an unpublished object', '/private.json', refused(NO_TOKEN, SITE)],
    ]),
    ...addresses('one token key', origin(SITE), [
      ['the only key', token() + SEGMENT, passes(SEGMENT)],
      ['a key that was removed', PREVIOUS_TOKEN + SEGMENT, refused(WRONG_TOKEN, SITE)],
    ]),
    ...cases(
      'tokens',
      [
        [
          'a token on a page of an allowed site, without CORS',
          referer(`${SITE}/`),
          passes(SEGMENT),
        ],
        ['a token on a page of the same site', fetchSite('same-site'), passes(SEGMENT)],
        ['a token in an app, without context', [], passes(SEGMENT)],
        ['a token in an app with an empty referer', referer(''), passes(SEGMENT)],
        ['a token on another site', origin(EVIL), foreign],
        ['a token on another site, without CORS', referer(`${EVIL}/`), foreign],
        ['a token on another site with the policy no-referrer', fetchSite('cross-site'), foreign],
        ['a token in a sandboxed frame', origin('null'), foreign],
        ['a token in a typed address', fetchSite('none'), foreign],
        ['a token with two Origin headers', [...origin(SITE), ...origin(SITE)], foreign],
      ],
      { url: token() + SEGMENT },
    ),
    ...cases(
      'tokens',
      [
        ['an expired token on another site', origin(EVIL), foreign],
        ['an expired token in an app', [], expired()],
        ['an expired token on an allowed site, without CORS', referer(`${SITE}/`), expired()],
        [
          'an expired token on a subdomain',
          origin('https://a.wild.example'),
          expired('https://a.wild.example'),
        ],
      ],
      { url: EXPIRED_TOKEN + SEGMENT },
    ),
    ...addresses(
      'tokens',
      [],
      [
        ['no token and no context', SEGMENT, refused(NO_TOKEN)],
        ['the player without context', PLAYER, foreign],
      ],
    ),
    ...addresses('tokens', origin(EVIL), [['no token on another site', SEGMENT, foreign]]),
    ...addresses(
      'tokens, apps',
      [],
      [
        ['no token in an app', SEGMENT, refused(NO_TOKEN)],
        ['a token in an app', token() + SEGMENT, passes(SEGMENT)],
        ['the player in an app', PLAYER, passes(PLAYER)],
      ],
    ),
    ...addresses(
      'tokens, posters',
      [],
      [
        ['a poster', POSTER, passes(POSTER)],
        ['a poster with a token', token() + POSTER, passes(POSTER)],
        ['a poster with an expired token', EXPIRED_TOKEN + POSTER, passes(POSTER)],
        ['a segment', SEGMENT, refused(NO_TOKEN)],
      ],
    ),
    ...addresses('tokens, posters', origin(EVIL), [
      ['a poster on another site', POSTER, passes(POSTER)],
      ['a segment on another site', token() + SEGMENT, foreign],
    ]),
    ...addresses('tokens', [], [['a poster', POSTER, refused(NO_TOKEN)]]),
  ];
}

const withoutContext: ReadonlySet<string> = new Set(NO_CONTEXT.map(([about]) => about));

/** Every case, for an engine whose clock shows `now` (milliseconds), or differs by less than the leeway. */
export function casesAt(now: number, leewaySeconds = 0): readonly Case[] {
  const seconds = Math.floor(now / 1000);
  const token = tokensAt(seconds);
  return [
    ...cases('closed', [...ORIGINS, ...WILDCARDS, ...REFERERS, ...FETCH_SITES, ...NO_CONTEXT]),
    // With allowNoContext, only requests without context are answered differently.
    ...cases(
      'apps',
      [...REFERERS, ...FETCH_SITES, ...NO_CONTEXT].map(([about, headers, answer]): Row => {
        return [about, headers, withoutContext.has(about) ? passes() : answer];
      }),
    ),
    ...methods(token),
    ...escapes(token),
    ...POSTERS,
    ...tokenAddresses(token, seconds, leewaySeconds),
  ];
}
