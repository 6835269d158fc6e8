import { describe, expect, test } from 'vitest';
import { viewerRequestSource } from '../../edge/source.ts';
import { edgeHeaders, loadEdgeFunction } from '../../local/edge/edge-function.ts';

const rule = {
  allowedSites: ['https://site.example', 'http://localhost:3000'],
  allowNoContext: false,
  openPosters: false,
};
const run = loadEdgeFunction(viewerRequestSource(rule));
const SEGMENT = '/v/0a1b/9f8e/720p/00000.ts';

function ask(headers: readonly string[], method = 'GET', uri = SEGMENT, edge = run) {
  const answer = edge({ method, uri, headers: edgeHeaders(headers) });
  return answer.kind === 'request' ? 'passes' : answer.status;
}

const S = 'Sec-Fetch-Site';

describe('The edge', () => {
  test.each([
    // Origin decides wherever there is one.
    [['Origin', 'https://site.example'], 'passes'],
    [['Origin', 'HTTPS://Site.Example'], 'passes'],
    [['Origin', 'http://localhost:3000'], 'passes'],
    [['Origin', 'http://site.example'], 403],
    [['Origin', 'https://site.example:8443'], 403],
    [['Origin', 'https://evil.example'], 403],
    [['Origin', 'https://site.example.evil.example'], 403],
    [['Origin', 'https://evilsite.example'], 403],
    [['Origin', 'null'], 403],
    [['Origin', ''], 403],
    [['Origin', 'constructor'], 403],
    [['Origin', 'https://evil.example', 'Referer', 'https://site.example/'], 403],
    [['Origin', 'https://evil.example', S, 'same-origin'], 403],
    [['Origin', 'https://site.example', 'Origin', 'https://evil.example'], 403],
    [['Origin', 'https://evil.example', 'Origin', 'https://site.example'], 403],
    // Then the referring page.
    [['Referer', 'https://site.example/'], 'passes'],
    [['Referer', 'https://site.example'], 'passes'],
    [['Referer', 'https://site.example/course/1?page=2#top'], 'passes'],
    [['Referer', 'https://SITE.example/course'], 'passes'],
    [['Referer', 'https://evil.example/?https://site.example/'], 403],
    [['Referer', 'https://site.example.evil.example/'], 403],
    [['Referer', 'https://site.example@evil.example/'], 403],
    [['Referer', 'https://site.example\\@evil.example/'], 403],
    [['Referer', 'ftp://site.example/'], 403],
    [['Referer', 'site.example'], 403],
    [['Referer', 'https://evil.example/', S, 'same-site'], 403],
    [['Referer', 'https://site.example/', 'Referer', 'https://evil.example/'], 403],
    // Then what the browser says of the site.
    [[S, 'same-origin'], 'passes'],
    [[S, 'same-site'], 'passes'],
    [[S, 'cross-site'], 403],
    [[S, 'none'], 403],
    [['Referer', '', S, 'same-origin'], 'passes'],
    // Nothing at all: a script, an app, a typed address.
    [[], 403],
    [['User-Agent', 'curl/8'], 403],
  ] as const)('answers a request with %j: %s.', (headers, expected) => {
    expect(ask(headers)).toBe(expected);
  });

  test('lets in who says nothing when it is told to.', () => {
    const open = loadEdgeFunction(viewerRequestSource({ ...rule, allowNoContext: true }));
    expect(ask([], 'GET', SEGMENT, open)).toBe('passes');
    expect(ask(['Origin', 'https://evil.example'], 'GET', SEGMENT, open)).toBe(403);
    expect(ask([S, 'cross-site'], 'GET', SEGMENT, open)).toBe(403);
  });

  test.each([
    ['/v/0a1b/9f8e/images/poster.jpg', 'passes'],
    ['/v/0a1b/9f8e/images/thumbnail-640.jpg', 'passes'],
    ['/v/0a1b/9f8e/images/storyboard-0.jpg', 403],
    ['/v/0a1b/9f8e/720p/00000.ts', 403],
    ['/v/0a1b/9f8e/720p/00000.ts/images/poster.jpg', 403],
    ['/v/0a1b/9f8e/images/poster.jpg/../../720p/00000.ts', 403],
  ])('with open posters answers %s to anybody: %s.', (uri, expected) => {
    const open = loadEdgeFunction(viewerRequestSource({ ...rule, openPosters: true }));
    expect(ask([S, 'cross-site'], 'GET', uri, open)).toBe(expected);
    expect(ask([S, 'cross-site'], 'GET', uri)).toBe(403);
  });

  test('answers a preflight of an allowed site, and of no other.', () => {
    const answer = run({
      ...{ method: 'OPTIONS', uri: SEGMENT },
      headers: edgeHeaders(['Origin', 'https://site.example']),
    });
    expect(answer).toMatchObject({
      status: 204,
      headers: {
        'access-control-allow-origin': 'https://site.example',
        'access-control-allow-headers': 'Range',
        vary: 'Origin',
      },
    });
    expect(ask(['Origin', 'https://evil.example'], 'OPTIONS')).toBe(403);
    expect(ask([S, 'same-origin'], 'OPTIONS')).toBe(403);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('takes no %s.', (method) => {
    expect(ask(['Origin', 'https://site.example'], method)).toBe(405);
  });

  test('keeps no denial in any cache.', () => {
    expect(run({ method: 'GET', uri: SEGMENT, headers: {} })).toMatchObject({
      headers: { 'cache-control': 'no-store' },
    });
  });

  test('names every site that is no origin.', () => {
    const allowedSites = ['https://ok.example', 'ok.example', 'https://a.example/path', '*'];
    expect(() => viewerRequestSource({ ...rule, allowedSites })).toThrow(
      'These are no origins: "ok.example", "https://a.example/path", "*".',
    );
  });

  test('is larger than CloudFront allows with too many sites, and says so.', () => {
    const allowedSites = Array.from({ length: 400 }, (_, index) => `https://site-${index}.example`);
    expect(() => viewerRequestSource({ ...rule, allowedSites })).toThrow(/Name fewer sites/);
  });
});

describe('The runtime', () => {
  const request = { method: 'GET', uri: '/', headers: {} };
  const status = (source: string) => {
    const answer = loadEdgeFunction(source)(request);
    return answer.kind === 'response' ? answer.status : 'passes';
  };

  test.each([
    ['a function that throws', 'function handler() { throw new Error("x") }', 503],
    ['code made of text', 'function handler(e) { return eval("e.request") }', 503],
    ['the machine', 'function handler(e) { process.exit(); return e.request }', 503],
    ['a module', 'function handler(e) { require("fs"); return e.request }', 503],
    ['an answer that is none', 'function handler() { return 7 }', 502],
    ['another method', 'function handler(e) { e.request.method = "POST"; return e.request }', 502],
    [
      'a header of its own',
      'function handler() { return { statusCode: 200, headers: { "x-cache": { value: "Hit" } } } }',
      502,
    ],
    ['nothing to do', 'function handler(e) { return e.request }', 'passes'],
  ])('answers %s as CloudFront does.', (_what, source, expected) => {
    expect(status(source)).toBe(expected);
  });

  test('ends a function that never ends.', () => {
    expect(status('function handler() { for (;;) {} }')).toBe(503);
  });
});
