import { createHmac } from 'node:crypto';
import type { EdgeAnswer } from './local/edge-function.ts';
import { requestWith } from './event.ts';
import type { EdgeEvent } from './event.ts';
import type { EdgeRule } from './source.ts';

/** What is asked of the rule, and what it must answer, in whichever engine it runs. */
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
  ...[SITE, PORT, 'http://localhost:3000', 'http://[::1]:8080', 'https://kiosk.example'],
  ...['https://*.wild.example', 'https://*.port.example:8443', 'https://*.Deep.Wild2.Example'],
];
const closed = { allowedSites, allowNoContext: false };
const tokenKeys = [CURRENT, PREVIOUS];

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

const of = (origin: string): Headers => [['Origin', origin]];
const from = (referer: string): Headers => [['Referer', referer]];
const near = (site: string): Headers => [['Sec-Fetch-Site', site]];

function goesOn(uri = PLAYLIST): EdgeAnswer {
  return { kind: 'request', uri };
}

const FOREIGN = 'This site may not show the videos kept here.';
const LACKING = 'This video is fetched with a token that its address lacks.';
const WRONG = 'The token in the address of this video is not right.';

/** A refusal; readable for the page of that origin, where one is given. */
function refused(sentence: string, origin?: string, status = 403): EdgeAnswer {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
  const reply = { status, headers: { ...headers, ...cors(origin) }, body: `${sentence}\n` };
  return { kind: 'reply', reply };
}

function expired(origin?: string): EdgeAnswer {
  return refused('The address of this video has expired.', origin, 410);
}

function unknown(origin?: string): EdgeAnswer {
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
  const answer = refused('Videos can only be fetched.', origin, 405);
  if (answer.kind === 'request') throw new Error('A refusal is a reply.');
  const { reply } = answer;
  return {
    ...answer,
    reply: { ...reply, headers: { ...reply.headers, allow: 'GET, HEAD, OPTIONS' } },
  };
}

const foreign = refused(FOREIGN);

type Token = (given?: {
  readonly asset?: string;
  readonly expiry?: string;
  readonly key?: string;
}) => string;

/** As edge/playback-token.ts does it, written once more. */
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

/** One request of each address, with the same headers. */
function addresses(
  rule: RuleName,
  headers: Headers,
  rows: readonly (readonly [about: string, url: string, answer: EdgeAnswer])[],
): readonly Case[] {
  return rows.flatMap(([about, url, answer]) => cases(rule, [[about, headers, answer]], { url }));
}

const ORIGINS: readonly Row[] = [
  ['an allowed origin', of(SITE), goesOn()],
  ['an allowed origin with its port', of(PORT), goesOn()],
  ['an allowed origin in capitals', of('HTTPS://SITE.EXAMPLE'), goesOn()],
  ['an allowed origin without TLS', of('http://localhost:3000'), goesOn()],
  ['an allowed origin with an address for a name', of('http://[::1]:8080'), goesOn()],
  ['another origin', of(EVIL), foreign],
  ['the same host on another port', of(`${SITE}:444`), foreign],
  ['the same host on its usual port, spelt out', of(`${SITE}:443`), foreign],
  ['the same host without its port', of('https://other.example'), foreign],
  ['the same host on a port that begins like it', of('https://other.example:84'), foreign],
  ['the same host on a port that goes on', of('https://other.example:84430'), foreign],
  ['the same host without TLS', of('http://site.example'), foreign],
  ['the same host with TLS where it has none', of('https://localhost:3000'), foreign],
  ['the same host by another scheme', of('chrome-extension://site.example'), foreign],
  ['a host that begins like it', of(`${SITE}.evil.example`), foreign],
  ['a host that ends like it', of('https://evilsite.example'), foreign],
  ['a host that is its beginning', of('https://site.exampl'), foreign],
  ['a host that ends with a dot', of(`${SITE}.`), foreign],
  ['a subdomain', of('https://www.site.example'), foreign],
  ['the domain above', of('https://example'), foreign],
  ['an origin with a slash, which no browser sends', of(`${SITE}/`), foreign],
  ['an origin with a path', of(`${SITE}/page`), foreign],
  ['an origin with it as the user', of(`${SITE}@evil.example`), foreign],
  ['an origin without a scheme', of('site.example'), foreign],
  ['an origin with a space before', of(` ${SITE}`), foreign],
  ['an origin with a space behind', of(`${SITE} `), foreign],
  ['an origin with a line break behind', of(`${SITE}\n`), foreign],
  ['two origins in one', of(`${SITE} ${SITE}`), foreign],
  ['two origins with a comma', of(`${SITE}, ${SITE}`), foreign],
  ['an opaque origin', of('null'), foreign],
  ['an empty origin', of(''), foreign],
  ['a star', of('*'), foreign],
  ['a name that every object has', of('constructor'), foreign],
  ['another name that every object has', of('__proto__'), foreign],
  ['a letter that becomes another in lower case', of('https://\u212aiosk.example'), foreign],
  ['two allowed origins', [...of(SITE), ...of(SITE)], foreign],
  ['an allowed and another origin', [...of(SITE), ...of(EVIL)], foreign],
  ['another and an allowed origin', [...of(EVIL), ...of(SITE)], foreign],
  ['a wrong origin beside a right referer', [...of('null'), ...from(`${SITE}/`)], foreign],
  ['an empty origin beside a right referer', [...of(''), ...from(`${SITE}/`)], foreign],
  ['a right origin beside a wrong referer', [...of(SITE), ...from(`${EVIL}/`)], goesOn()],
  ['a right origin beside a word of another site', [...of(SITE), ...near('cross-site')], goesOn()],
  ['a wrong origin beside a word of the same site', [...of(EVIL), ...near('same-site')], foreign],
];

const WILDCARDS: readonly Row[] = [
  ['a subdomain', of('https://www.wild.example'), goesOn()],
  ['a subdomain of a subdomain', of('https://a.b-c.wild.example'), goesOn()],
  ['a subdomain five deep', of('https://a.b.c.d.e.wild.example'), goesOn()],
  ['a subdomain in capitals', of('HTTPS://WWW.WILD.EXAMPLE'), goesOn()],
  ['a subdomain in punycode', of('https://xn--mnchen-3ya.wild.example'), goesOn()],
  ['a subdomain with an underscore', of('https://a_b.wild.example'), goesOn()],
  [
    'a subdomain of a site that was written in capitals',
    of('https://a.deep.wild2.example'),
    goesOn(),
  ],
  ['a subdomain on its port', of('https://www.port.example:8443'), goesOn()],
  ['the host itself', of('https://wild.example'), foreign],
  ['a subdomain without the port', of('https://www.port.example'), foreign],
  ['a subdomain on another port', of('https://www.wild.example:8443'), foreign],
  ['a subdomain without TLS', of('http://www.wild.example'), foreign],
  ['a host that ends like it', of('https://evilwild.example'), foreign],
  ['a host that begins like it', of('https://www.wild.example.evil.example'), foreign],
  ['a host that ends with a dot', of('https://www.wild.example.'), foreign],
  ['an empty label', of('https://.wild.example'), foreign],
  ['an empty label within', of('https://a..wild.example'), foreign],
  ['the star itself', of('https://*.wild.example'), foreign],
  ['a star before a subdomain', of('https://*.www.wild.example'), foreign],
  ['another host as its user', of('https://evil.example@www.wild.example'), foreign],
  [
    'another host with a path that ends like it',
    of('https://evil.example/www.wild.example'),
    foreign,
  ],
  [
    'another host with a query that ends like it',
    of('https://evil.example?.wild.example'),
    foreign,
  ],
  ['another host with a hash that ends like it', of('https://evil.example#.wild.example'), foreign],
  ['another host and port that end like it', of('https://evil.example:1.wild.example'), foreign],
  ['another host and a backslash', of('https://evil.example\\.wild.example'), foreign],
  ['a line break before it', of('https://evil.example\n.wild.example'), foreign],
  ['a line break behind it', of('https://www.wild.example\n'), foreign],
  ['its beginning and its end, overlapping', of('https://'), foreign],
  ['its end alone', of('.wild.example'), foreign],
  ['a subdomain, by its page', from('https://www.wild.example/a?b'), goesOn()],
  ['the host itself, by its page', from('https://wild.example/'), foreign],
  ['another page with it as the user', from('https://www.wild.example@evil.example/'), foreign],
  ['another page with it in the path', from('https://evil.example/www.wild.example'), foreign],
];

const REFERERS: readonly Row[] = [
  ['an allowed referer', from(`${SITE}/`), goesOn()],
  [
    'an allowed referer with a path and a query',
    from(`${SITE}/a/b?c=https://x.example#d`),
    goesOn(),
  ],
  ['an allowed referer without a slash', from(SITE), goesOn()],
  ['an allowed referer with a query at once', from(`${SITE}?a`), goesOn()],
  ['an allowed referer with a hash at once', from(`${SITE}#a`), goesOn()],
  ['an allowed referer with its port', from(`${PORT}/a`), goesOn()],
  ['an allowed referer in capitals', from('https://SITE.example/Talks'), goesOn()],
  ['another referer', from(`${EVIL}/`), foreign],
  ['a referer on another port', from(`${SITE}:444/`), foreign],
  ['a referer without TLS', from('http://site.example/'), foreign],
  ['a referer that begins like it', from(`${SITE}.evil.example/`), foreign],
  ['a referer with it as the user', from(`${SITE}@evil.example/`), foreign],
  ['a referer with it as user and password', from(`${SITE}:x@evil.example/`), foreign],
  ['a referer with it in the path', from(`${EVIL}/${SITE}/`), foreign],
  ['a referer with it in the query', from(`${EVIL}/?${SITE}/`), foreign],
  ['a referer with it in the hash', from(`${EVIL}/#${SITE}/`), foreign],
  ['a referer with a backslash', from(`${SITE}\\@evil.example/`), foreign],
  ['a referer that is no address', from('site.example'), foreign],
  ['a referer without a host', from('https:///site.example'), foreign],
  ['a referer with a line break behind', from(`${SITE}\n`), foreign],
  ['a referer with a line before it', from(`x\n${SITE}/`), foreign],
  ['a referer of another scheme', from('android-app://site.example/'), foreign],
  ['a referer that says about:blank', from('about:blank'), foreign],
  ['a referer that says null', from('null'), foreign],
  ['two referers', [...from(`${SITE}/`), ...from(`${SITE}/`)], foreign],
  ['a wrong referer of the same site', [...from(`${EVIL}/`), ...near('same-site')], foreign],
  ['a right referer of another site', [...from(`${SITE}/`), ...near('cross-site')], goesOn()],
  ['an empty referer of the same site', [...from(''), ...near('same-site')], goesOn()],
  ['an empty referer of another site', [...from(''), ...near('cross-site')], foreign],
];

const WORDS: readonly Row[] = [
  ['the same origin, by its word', near('same-origin'), goesOn()],
  ['the same site, by its word', near('same-site'), goesOn()],
  ['another site, by its word', near('cross-site'), foreign],
  ['an address typed by a person', near('none'), foreign],
  ['no word', near(''), foreign],
  ['a word in capitals', near('SAME-ORIGIN'), foreign],
  ['two words', [...near('same-origin'), ...near('same-origin')], foreign],
];

const SILENCE: readonly Row[] = [
  ['nothing at all', [], foreign],
  ['an empty referer', from(''), foreign],
  [
    'headers named like parts of an object',
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
      ['a preflight of an allowed origin', of(SITE), preflight(SITE)],
      [
        'a preflight of a subdomain',
        of('https://a.wild.example'),
        preflight('https://a.wild.example'),
      ],
      ['a preflight of another origin', of(EVIL), foreign],
      ['a preflight of an opaque origin', of('null'), foreign],
      ['a preflight of two origins', [...of(SITE), ...of(SITE)], foreign],
      ['a preflight without an origin', from(`${SITE}/`), foreign],
      ['a preflight without anything', [], foreign],
    ],
    { method: 'OPTIONS' },
  ),
  ...cases('apps', [['a preflight without anything', [], foreign]], { method: 'OPTIONS' }),
  // Whether a token is right is said to the request itself.
  ...cases('tokens', [['a preflight', of(SITE), preflight(SITE)]], {
    method: 'OPTIONS',
    url: SEGMENT,
  }),
  ...cases('tokens', [['a preflight from elsewhere', of(EVIL), foreign]], {
    ...{ method: 'OPTIONS', url: token() + PLAYLIST },
  }),
  ...cases(
    'closed',
    [
      ['an allowed origin', of(SITE), goesOn()],
      ['another', of(EVIL), foreign],
    ],
    {
      method: 'HEAD',
    },
  ),
  ...['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'TRACE', 'get'].flatMap((method) =>
    cases('closed', [['an allowed origin', of(SITE), wrongMethod(SITE)]], { method }),
  ),
  ...cases('closed', [['another origin', of(EVIL), wrongMethod()]], { method: 'POST' }),
  ...cases('apps', [['nothing', [], wrongMethod()]], { method: 'POST' }),
  ...cases('tokens', [['a token', of(SITE), wrongMethod(SITE)]], {
    ...{ method: 'POST', url: token() + PLAYLIST },
  }),
];

const plainAddresses = (token: Token): readonly Case[] =>
  addresses('closed', of(SITE), [
    ['a query', `${PLAYLIST}?a=b`, goesOn()],
    ...[
      ['an escaped letter', PLAYLIST.replace('index', '%69ndex')],
      ['an escaped letter, in lower case', PLAYLIST.replace('index', 'inde%6a')],
      ['an escaped slash', PLAYLIST.replace('/index', '%2Findex')],
      ['an escaped dot', PLAYLIST.replace('.m3u8', '%2Em3u8')],
      ['an escape of an escape', PLAYLIST.replace('index', '%2569ndex')],
      ['an escaped name', '/v/%232%204%20x.m3u8?a=b'],
      ['an escape that is none', '/v/%zz.m3u8'],
      ['a second slash', `/${PLAYLIST}`],
      ['a second slash within', PLAYLIST.replace('/index', '//index')],
      ['a slash at the end', `${PLAYLIST}/`],
      ['a step up', `/v/x/..${PLAYLIST.slice(2)}`],
      ['a step nowhere', `/v/.${PLAYLIST.slice(2)}`],
      ['a letter beyond ASCII', '/v/\u00e4/index.m3u8'],
      ['a line break behind', `${PLAYLIST}\n`],
      ['a line before it', `/x\n${PLAYLIST}`],
      ['a plus sign', '/v/a+b.m3u8'],
      ['a semicolon', `${PLAYLIST};a`],
      ['no name', '/'],
    ].map(([about = '', url = '']) => [about, url, unknown(SITE)] as const),
    ['the player', PLAYER, goesOn(PLAYER)],
    ['a token where there are none', token() + PLAYLIST, goesOn(token() + PLAYLIST)],
  ]);

const POSTERS: readonly Case[] = [
  ...addresses(
    'posters',
    [],
    [
      ['a poster', POSTER, goesOn(POSTER)],
      ['a poster with a query', `${POSTER}?width=9`, goesOn(POSTER)],
      [
        'a thumbnail',
        `/v/${VERSION}/images/thumbnail-640.jpg`,
        goesOn(`/v/${VERSION}/images/thumbnail-640.jpg`),
      ],
      ['a storyboard', `/v/${VERSION}/images/storyboard-0.jpg`, foreign],
      ['a thumbnail without a width', `/v/${VERSION}/images/thumbnail-.jpg`, foreign],
      ['a playlist behind a poster', `${POSTER}/index.m3u8`, foreign],
      ['an escaped name of a poster', `/v/${VERSION}/images/%70oster.jpg`, foreign],
      ['a poster behind dots', '/v/0123/../0123/images/poster.jpg', foreign],
      ['a poster in a query', `${SEGMENT}?${POSTER}`, foreign],
      ['a poster in capitals', POSTER.toUpperCase(), foreign],
      ['a poster with a line break behind', `${POSTER}\n`, foreign],
      ['a poster with a line before it', `/x\n${POSTER}`, foreign],
      ['a playlist', PLAYLIST, foreign],
    ],
  ),
  ...addresses('posters', of(EVIL), [['a poster on another site', POSTER, goesOn(POSTER)]]),
  ...addresses('posters', near('cross-site'), [['a poster elsewhere', POSTER, goesOn(POSTER)]]),
  ...addresses('closed', [], [['a poster', POSTER, foreign]]),
  ...addresses(
    'apps',
    [],
    [['an escaped letter', PLAYLIST.replace('index', '%69ndex'), unknown()]],
  ),
  ...addresses('closed', of(EVIL), [['a poster', POSTER, foreign]]),
];

/** Addresses with a token, asked for by a page of an allowed site. */
function tokenAddresses(token: Token, seconds: number, leewaySeconds: number): readonly Case[] {
  const past = String(seconds - leewaySeconds);
  const PREVIOUS_TOKEN = token({ key: PREVIOUS });
  const EXPIRED_TOKEN = token({ expiry: String(seconds - 1 - leewaySeconds) });
  const [, , good = ''] = token().split('/');
  const [expiry = '', signature = ''] = good.split('.');

  return [
    ...addresses('tokens', of(SITE), [
      ['a pointer', token() + PLAYLIST, goesOn()],
      ['a segment', token() + SEGMENT, goesOn(SEGMENT)],
      ['a poster', token() + POSTER, goesOn(POSTER)],
      ['a segment with a query', `${token()}${SEGMENT}?a=b`, goesOn(SEGMENT)],
      ['the previous key', PREVIOUS_TOKEN + SEGMENT, goesOn(SEGMENT)],
      [
        'a token for a second more',
        token({ expiry: String(seconds + 1 + leewaySeconds) }) + SEGMENT,
        goesOn(SEGMENT),
      ],
      ['a token that ends now', token({ expiry: past }) + SEGMENT, expired(SITE)],
      ['a token that ended', EXPIRED_TOKEN + SEGMENT, expired(SITE)],
      ['a token of 1970', token({ expiry: '1' }) + SEGMENT, expired(SITE)],
      [
        'the previous key, and expired',
        token({ expiry: '1', key: PREVIOUS }) + SEGMENT,
        expired(SITE),
      ],
      ['a key of somebody else', token({ key: 'another' }) + SEGMENT, refused(WRONG, SITE)],
      ['a blank key', token({ key: ' ' }) + SEGMENT, refused(WRONG, SITE)],
      [
        'a wrong key, and expired',
        token({ expiry: '1', key: 'another' }) + SEGMENT,
        refused(WRONG, SITE),
      ],
      ['a later expiry', `/t/${seconds + 7200}.${signature}${SEGMENT}`, refused(WRONG, SITE)],
      [
        'an expiry with a zero before it',
        `/t/0${expiry}.${signature}${SEGMENT}`,
        refused(WRONG, SITE),
      ],
      ['another asset', `${token()}/v/${OTHER_ASSET}/index.m3u8`, refused(WRONG, SITE)],
      [
        'an asset whose id begins like it',
        `${token()}/v/${ASSET}0/index.m3u8`,
        refused(WRONG, SITE),
      ],
      [
        'an asset whose id is a part of it',
        `${token()}/v/${ASSET.slice(1)}/index.m3u8`,
        refused(WRONG, SITE),
      ],
      [
        'another signature',
        `/t/${expiry}.${signature.replace(/./, (one) => (one === 'A' ? 'B' : 'A'))}${SEGMENT}`,
        refused(WRONG, SITE),
      ],
      [
        'a signature in other letters',
        `/t/${expiry}.${signature.toLowerCase()}${SEGMENT}`,
        refused(WRONG, SITE),
      ],
      [
        'a signature cut short',
        `/t/${expiry}.${signature.slice(1)}${SEGMENT}`,
        refused(LACKING, SITE),
      ],
      ['a signature that goes on', `/t/${expiry}.${signature}A${SEGMENT}`, refused(LACKING, SITE)],
      ['a padded signature', `/t/${expiry}.${signature}=${SEGMENT}`, refused(LACKING, SITE)],
      ['no signature', `/t/${expiry}.${SEGMENT}`, refused(LACKING, SITE)],
      ['no expiry', `/t/.${signature}${SEGMENT}`, refused(LACKING, SITE)],
      ['an expiry below zero', `/t/-1.${signature}${SEGMENT}`, refused(LACKING, SITE)],
      ['an expiry that is no number', `/t/Infinity.${signature}${SEGMENT}`, refused(LACKING, SITE)],
      [
        'an expiry without end',
        `/t/${'9'.repeat(12)}.${signature}${SEGMENT}`,
        refused(LACKING, SITE),
      ],
      ['no token', SEGMENT, refused(LACKING, SITE)],
      ['a token in the query', `${SEGMENT}?${token()}`, refused(LACKING, SITE)],
      ['a token behind', SEGMENT + token(), refused(LACKING, SITE)],
      ['a token twice', token() + token() + SEGMENT, refused(LACKING, SITE)],
      ['a token below something', `/x${token()}${SEGMENT}`, refused(LACKING, SITE)],
      ['a token and nothing', token(), refused(LACKING, SITE)],
      ['a token and the asset alone', `${token()}/v/${ASSET}/`, refused(LACKING, SITE)],
      ['a token and another prefix', `${token()}/private/${ASSET}/x`, refused(LACKING, SITE)],
      [
        'a token and dots to another asset',
        `${token()}/v/${ASSET}/../${OTHER_ASSET}/index.m3u8`,
        refused(LACKING, SITE),
      ],
      [
        'a token and escaped dots',
        `${token()}/v/${ASSET}/%2e%2e/${OTHER_ASSET}/index.m3u8`,
        refused(LACKING, SITE),
      ],
      [
        'a token and an escaped slash',
        `${token()}/v/${ASSET}/..%2f${OTHER_ASSET}/index.m3u8`,
        refused(LACKING, SITE),
      ],
      [
        'a token and a backslash',
        `${token()}/v/${ASSET}/..\\${OTHER_ASSET}/index.m3u8`,
        refused(LACKING, SITE),
      ],
      ['a token and a line break behind', `${token()}${SEGMENT}\n`, refused(LACKING, SITE)],
      ['the player with a line break behind', `${PLAYER}\n`, refused(LACKING, SITE)],
      ['a token and an empty name', `${token()}/v/${ASSET}//index.m3u8`, refused(LACKING, SITE)],
      ['an escaped token', `/%74${token().slice(2)}${SEGMENT}`, refused(LACKING, SITE)],
      ['the player, without a token', PLAYER, goesOn(PLAYER)],
      ['something behind the player', `/player/..${SEGMENT}`, refused(LACKING, SITE)],
      ['something else that is not published', '/private.json', refused(LACKING, SITE)],
    ]),
    ...addresses('one token key', of(SITE), [
      ['the only key', token() + SEGMENT, goesOn(SEGMENT)],
      ['a key that is gone', PREVIOUS_TOKEN + SEGMENT, refused(WRONG, SITE)],
    ]),
    ...cases(
      'tokens',
      [
        ['a token on a page of its site, without CORS', from(`${SITE}/`), goesOn(SEGMENT)],
        ['a token on a page of the same site', near('same-site'), goesOn(SEGMENT)],
        ['a token in an app, which says nothing', [], goesOn(SEGMENT)],
        ['a token in an app with an empty referer', from(''), goesOn(SEGMENT)],
        ['a token on another site', of(EVIL), foreign],
        ['a token on another site, without CORS', from(`${EVIL}/`), foreign],
        ['a token on another site that says nothing of itself', near('cross-site'), foreign],
        ['a token in a sandboxed frame', of('null'), foreign],
        ['a token typed by a person', near('none'), foreign],
        ['a token of two origins', [...of(SITE), ...of(SITE)], foreign],
      ],
      { url: token() + SEGMENT },
    ),
    ...cases(
      'tokens',
      [
        ['an expired token on another site', of(EVIL), foreign],
        ['an expired token in an app', [], expired()],
        ['an expired token on its site, without CORS', from(`${SITE}/`), expired()],
        [
          'an expired token on a subdomain',
          of('https://a.wild.example'),
          expired('https://a.wild.example'),
        ],
      ],
      { url: EXPIRED_TOKEN + SEGMENT },
    ),
    ...addresses(
      'tokens',
      [],
      [
        ['no token and nothing said', SEGMENT, refused(LACKING)],
        ['the player and nothing said', PLAYER, foreign],
      ],
    ),
    ...addresses('tokens', of(EVIL), [['no token elsewhere', SEGMENT, foreign]]),
    ...addresses(
      'tokens, apps',
      [],
      [
        ['no token in an app', SEGMENT, refused(LACKING)],
        ['a token in an app', token() + SEGMENT, goesOn(SEGMENT)],
        ['the player in an app', PLAYER, goesOn(PLAYER)],
      ],
    ),
    ...addresses(
      'tokens, posters',
      [],
      [
        ['a poster', POSTER, goesOn(POSTER)],
        ['a poster with a token', token() + POSTER, goesOn(POSTER)],
        ['a poster with an expired token', EXPIRED_TOKEN + POSTER, goesOn(POSTER)],
        ['a segment', SEGMENT, refused(LACKING)],
      ],
    ),
    ...addresses('tokens, posters', of(EVIL), [
      ['a poster elsewhere', POSTER, goesOn(POSTER)],
      ['a segment elsewhere', token() + SEGMENT, foreign],
    ]),
    ...addresses('tokens', [], [['a poster', POSTER, refused(LACKING)]]),
  ];
}

const saysNothing: ReadonlySet<string> = new Set(SILENCE.map(([about]) => about));

/**
 * Every case, for an engine whose clock stands at `now`, in milliseconds, or is off by less than the leeway.
 */
export function casesAt(now: number, leewaySeconds = 0): readonly Case[] {
  const seconds = Math.floor(now / 1000);
  const token = tokensAt(seconds);
  return [
    ...cases('closed', [...ORIGINS, ...WILDCARDS, ...REFERERS, ...WORDS, ...SILENCE]),
    // Where apps are allowed only who says nothing is treated otherwise.
    ...cases(
      'apps',
      [...REFERERS, ...WORDS, ...SILENCE].map(([about, headers, answer]): Row => {
        return [about, headers, saysNothing.has(about) ? goesOn() : answer];
      }),
    ),
    ...methods(token),
    ...plainAddresses(token),
    ...POSTERS,
    ...tokenAddresses(token, seconds, leewaySeconds),
  ];
}
