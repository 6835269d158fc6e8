import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { viewerRequestSource } from '../../edge/source.ts';
import { loadEdgeFunction } from '../../local/edge/edge-function.ts';
import type { EdgeAnswer } from '../../local/edge/edge-function.ts';
import type { EdgeEvent } from '../../local/edge/event.ts';
import { requestWith } from './requests.ts';

const SITE = 'https://site.example';
const allowedSites = [SITE, 'https://other.example:8443'];
const rule = load({});

function load(more: { readonly allowNoContext?: boolean; readonly openPosters?: boolean }) {
  return loadEdgeFunction(viewerRequestSource({ allowedSites, allowNoContext: false, ...more }));
}

function outcome(answer: EdgeAnswer): string {
  return answer.kind === 'request' ? 'goes on' : String(answer.reply.status);
}

describe('what Chromium and curl send', () => {
  const EVENTS = new URL('../../edge/events/', import.meta.url);
  const expected = {
    'captions.json': 'goes on',
    'command-line.json': '403',
    'fetch-from-elsewhere-no-referrer.json': '403',
    'fetch-from-elsewhere.json': '403',
    'fetch-no-referrer.json': 'goes on',
    'fetch.json': 'goes on',
    'poster.json': 'goes on',
    'preflight-from-elsewhere.json': '403',
    'preflight.json': '204',
    'sandboxed-frame.json': '403',
    'typed-address.json': '403',
    'video-from-elsewhere-no-referrer.json': '403',
    'video-from-elsewhere.json': '403',
    'video-no-referrer.json': '403',
    'video-same-site-no-referrer.json': 'goes on',
    'video.json': 'goes on',
  };

  test('every recorded event has an expected outcome', () => {
    expect(readdirSync(EVENTS).sort()).toEqual(Object.keys(expected));
  });

  test.each(Object.entries(expected))('%s: %s', (name, wanted) => {
    const event = JSON.parse(readFileSync(new URL(name, EVENTS), 'utf8')) as EdgeEvent;
    expect(outcome(rule(event))).toBe(wanted);
  });
});

describe('who may fetch', () => {
  const cases: readonly [about: string, headers: readonly [string, string][], wanted: string][] = [
    ['an allowed origin', [['Origin', SITE]], 'goes on'],
    ['an allowed origin with its port', [['Origin', 'https://other.example:8443']], 'goes on'],
    ['an allowed origin in capitals', [['Origin', 'HTTPS://SITE.EXAMPLE']], 'goes on'],
    ['another origin', [['Origin', 'https://elsewhere.example']], '403'],
    ['the same host on another port', [['Origin', `${SITE}:444`]], '403'],
    ['the same host without its port', [['Origin', 'https://other.example']], '403'],
    ['the same host without TLS', [['Origin', 'http://site.example']], '403'],
    ['a host that begins like it', [['Origin', `${SITE}.evil.example`]], '403'],
    ['a host that ends like it', [['Origin', 'https://evilsite.example']], '403'],
    ['a subdomain', [['Origin', 'https://www.site.example']], '403'],
    ['an origin with a slash, which no browser sends', [['Origin', `${SITE}/`]], '403'],
    ['an opaque origin', [['Origin', 'null']], '403'],
    ['an empty origin', [['Origin', '']], '403'],
    ['a name that every object has', [['Origin', 'constructor']], '403'],
    [
      'two allowed origins',
      [
        ['Origin', SITE],
        ['Origin', SITE],
      ],
      '403',
    ],
    [
      'an allowed and another origin',
      [
        ['Origin', SITE],
        ['Origin', 'https://evil.example'],
      ],
      '403',
    ],
    [
      'a wrong origin beside a right referer',
      [
        ['Origin', 'null'],
        ['Referer', `${SITE}/`],
      ],
      '403',
    ],
    [
      'a right origin beside a wrong referer',
      [
        ['Origin', SITE],
        ['Referer', 'https://evil.example/'],
      ],
      'goes on',
    ],
    ['an allowed referer', [['Referer', `${SITE}/`]], 'goes on'],
    [
      'an allowed referer with path and query',
      [['Referer', `${SITE}/a/b?c=https://x.example#d`]],
      'goes on',
    ],
    ['an allowed referer without a slash', [['Referer', SITE]], 'goes on'],
    ['an allowed referer in capitals', [['Referer', 'https://SITE.example/Talks']], 'goes on'],
    ['another referer', [['Referer', 'https://elsewhere.example/']], '403'],
    ['a referer that begins like it', [['Referer', `${SITE}.evil.example/`]], '403'],
    ['a referer with it as the user', [['Referer', `${SITE}@evil.example/`]], '403'],
    [
      'a referer with it as user and password',
      [['Referer', 'https://site.example:x@evil.example/']],
      '403',
    ],
    ['a referer with it in the path', [['Referer', `https://evil.example/${SITE}/`]], '403'],
    ['a referer with it in the query', [['Referer', `https://evil.example/?${SITE}/`]], '403'],
    ['a referer with a backslash', [['Referer', `${SITE}\\@evil.example/`]], '403'],
    ['a referer that is no address', [['Referer', 'site.example']], '403'],
    ['a referer of another scheme', [['Referer', 'android-app://site.example/']], '403'],
    [
      'two referers',
      [
        ['Referer', `${SITE}/`],
        ['Referer', `${SITE}/`],
      ],
      '403',
    ],
    [
      'a wrong referer of the same site',
      [
        ['Referer', 'https://evil.example/'],
        ['Sec-Fetch-Site', 'same-site'],
      ],
      '403',
    ],
    [
      'an empty referer of the same site',
      [
        ['Referer', ''],
        ['Sec-Fetch-Site', 'same-site'],
      ],
      'goes on',
    ],
    ['the same origin, by its word', [['Sec-Fetch-Site', 'same-origin']], 'goes on'],
    ['the same site, by its word', [['Sec-Fetch-Site', 'same-site']], 'goes on'],
    ['another site, by its word', [['Sec-Fetch-Site', 'cross-site']], '403'],
    ['an address typed by a person', [['Sec-Fetch-Site', 'none']], '403'],
    [
      'two words about the site',
      [
        ['Sec-Fetch-Site', 'same-origin'],
        ['Sec-Fetch-Site', 'same-origin'],
      ],
      '403',
    ],
    ['nothing at all', [], '403'],
    [
      'headers named like parts of an object',
      [
        ['__proto__', 'x'],
        ['constructor', 'x'],
      ],
      '403',
    ],
  ];

  test.each(cases)('%s', (_about, headers, wanted) => {
    expect(outcome(rule(requestWith(headers)))).toBe(wanted);
  });

  test('where apps are allowed, who says nothing goes on, and who says something wrong does not', () => {
    const open = load({ allowNoContext: true });
    expect(outcome(open(requestWith([])))).toBe('goes on');
    expect(outcome(open(requestWith([['Referer', '']])))).toBe('goes on');
    expect(outcome(open(requestWith([['Origin', 'null']])))).toBe('403');
    expect(outcome(open(requestWith([['Referer', 'https://evil.example/']])))).toBe('403');
    expect(outcome(open(requestWith([['Sec-Fetch-Site', 'cross-site']])))).toBe('403');
  });
});

describe('posters opened to link previews', () => {
  const images = '/v/0123456789abcdef0123/0123456789abcdef/images';
  const cases: readonly [url: string, wanted: string][] = [
    [`${images}/poster.jpg`, 'goes on'],
    [`${images}/poster.jpg?width=9`, 'goes on'],
    [`${images}/thumbnail-640.jpg`, 'goes on'],
    [`${images}/storyboard-0.jpg`, '403'],
    [`${images}/thumbnail-.jpg`, '403'],
    [`${images}/poster.jpg/index.m3u8`, '403'],
    [`${images}/%70oster.jpg`, '403'],
    [`/v/0123/../0123/images/poster.jpg`, '403'],
    [`/v/0123456789abcdef0123/720p/00000.ts?${images}/poster.jpg`, '403'],
    ['/v/0123456789abcdef0123/index.m3u8', '403'],
  ];

  test.each(cases)('%s: %s', (url, wanted) => {
    expect(outcome(load({ openPosters: true })(requestWith([], { url })))).toBe(wanted);
  });

  test('are closed unless the rule says so', () => {
    expect(outcome(rule(requestWith([], { url: `${images}/poster.jpg` })))).toBe('403');
  });
});

describe('answers', () => {
  test('a preflight is told what is allowed to that origin', () => {
    expect(rule(requestWith([['Origin', SITE]], { method: 'OPTIONS' }))).toEqual({
      kind: 'reply',
      reply: {
        status: 204,
        headers: {
          'access-control-allow-origin': SITE,
          'access-control-allow-methods': 'GET, HEAD, OPTIONS',
          'access-control-allow-headers': 'Range',
          'access-control-max-age': '7200',
          'cache-control': 'no-store',
          vary: 'Origin',
        },
      },
    });
  });

  test('a refusal is a sentence that nobody may keep', () => {
    expect(rule(requestWith([]))).toEqual({
      kind: 'reply',
      reply: {
        status: 403,
        headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
        body: 'This site may not show the videos kept here.\n',
      },
    });
  });

  test.each(['GET', 'HEAD'])(
    '%s of an allowed origin goes on with its address untouched',
    (method) => {
      const url = '/v/%232%204%20x.m3u8?a=b';
      const answer = rule(requestWith([['Origin', SITE]], { method, url }));
      expect(answer).toEqual({ kind: 'request', uri: '/v/%232%204%20x.m3u8' });
    },
  );

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'get'])(
    '%s is refused also to an allowed origin',
    (method) => {
      expect(outcome(rule(requestWith([['Origin', SITE]], { method })))).toBe('405');
    },
  );

  test('a preflight without an origin is refused', () => {
    expect(outcome(rule(requestWith([['Referer', `${SITE}/`]], { method: 'OPTIONS' })))).toBe(
      '403',
    );
  });
});

test('is written in the part of JavaScript that cloudfront-js-2.0 documents', () => {
  // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
  const undocumented = new Set([
    ts.SyntaxKind.ObjectBindingPattern,
    ts.SyntaxKind.ArrayBindingPattern,
    ts.SyntaxKind.SpreadElement,
    ts.SyntaxKind.SpreadAssignment,
    ts.SyntaxKind.ForOfStatement,
    ts.SyntaxKind.ClassDeclaration,
    ts.SyntaxKind.ClassExpression,
    ts.SyntaxKind.QuestionDotToken,
    ts.SyntaxKind.QuestionQuestionToken,
    ts.SyntaxKind.YieldExpression,
    ts.SyntaxKind.NewExpression,
    ts.SyntaxKind.ImportDeclaration,
  ]);
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    const defaultValue = ts.isParameter(node) && node.initializer !== undefined;
    const bareCatch = ts.isCatchClause(node) && node.variableDeclaration === undefined;
    const nested = ts.isFunctionDeclaration(node) && !ts.isSourceFile(node.parent);
    if (undocumented.has(node.kind) || defaultValue || bareCatch || nested)
      found.push(node.getText());
    node.forEachChild(visit);
  };
  const source = viewerRequestSource({ allowedSites, allowNoContext: false });
  const file = ts.createSourceFile('viewer-request.js', source, ts.ScriptTarget.ESNext, true);
  visit(file);
  expect(file.statements.length).toBeGreaterThan(1);
  expect(found).toEqual([]);
});
