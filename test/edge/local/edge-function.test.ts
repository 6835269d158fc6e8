import { describe, expect, test } from 'vitest';
import { requestWith } from '../../../edge/event.ts';
import { loadEdgeFunction } from '../../../edge/local/edge-function.ts';

const event = requestWith([['Origin', 'https://site.example']]);

/** Runs a function with that body once. */
function run(body: string) {
  const source = `function handler(event) { var request = event.request; ${body} }`;
  return loadEdgeFunction(source)(event);
}

function errorAnswer(status: number) {
  return { kind: 'reply', reply: { status, headers: { 'cache-control': 'no-store' } } };
}

test('A function that returns the request passes it on, with the path that the function set', () => {
  expect(run('return request')).toEqual({ kind: 'request', uri: event.request.uri });
  expect(run("request.uri = '/v/b'; return request")).toEqual({ kind: 'request', uri: '/v/b' });
});

test('A function that returns a response answers with it', () => {
  const answer = run(
    `return { statusCode: 404, headers: { a: { value: 'b' }, c: { value: 'd', multiValue: [{ value: 'd' }, { value: 'e' }] } }, body: 'f' }`,
  );
  expect(answer).toEqual({
    kind: 'reply',
    reply: { status: 404, headers: { a: 'b', c: 'd, e' }, body: 'f' },
  });
});

test.each([
  ['nothing', ''],
  ['text', "return 'yes'"],
  ['an empty object', 'return {}'],
  ['a promise', 'return Promise.resolve(request)'],
  ['a path without a slash', "request.uri = 'v/b'; return request"],
  ['a path that is a number', 'request.uri = 4; return request'],
  ['a header that is no object', "request.headers.a = 'x'; return request"],
  ['a status code that does not exist', 'return { statusCode: 42 }'],
  ['a status code as text', "return { statusCode: '403' }"],
  [
    'a header name in capitals',
    "return { statusCode: 200, headers: { Vary: { value: 'Origin' } } }",
  ],
])('A function that returns %s answers 502', (_about, body) => {
  expect(run(body)).toEqual(errorAnswer(502));
});

describe('A broken function', () => {
  test.each([
    ['throws an error', "throw new Error('no')"],
    ['throws undefined', 'throw undefined'],
    ['never ends', 'for (;;) {}'],
    ['recurses without end', 'return handler(event)'],
    ['reads a header that was not sent', 'return request.headers.nothing.value'],
    ['assigns to an undeclared name', 'undeclared = 1; return request'],
    ['loads a module that is not supported', "require('fs'); return request"],
  ])('A function that %s answers 503', (_about, body) => {
    expect(run(body)).toEqual(errorAnswer(503));
  });

  test('A function that failed for one request still answers the next', () => {
    const answer = loadEdgeFunction(
      `var calls = 0; function handler(event) { calls += 1; if (calls === 1) throw new Error('no'); return event.request; }`,
    );
    expect(answer(event)).toEqual(errorAnswer(503));
    expect(answer(event).kind).toBe('request');
  });

  test('A source that cannot be parsed is refused when it is loaded', () => {
    expect(() => loadEdgeFunction('function handler(event) {')).toThrow(SyntaxError);
  });
});

test('A function can compute an HMAC', () => {
  // RFC 4231, test case 2.
  const answer = run(
    `var hmac = require('crypto').createHmac('sha256', 'Jefe');
     return { statusCode: 200, body: hmac.update('what do ya want for nothing?').digest('hex') };`,
  );
  expect(answer).toMatchObject({
    reply: { body: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' },
  });
});

test('A function reads the time from the given clock', () => {
  let now = Date.UTC(2026, 10, 26);
  const answer = loadEdgeFunction(
    'function handler() { return { statusCode: 200, body: String(Date.now()) }; }',
    () => now,
  );
  expect(answer(event)).toMatchObject({ reply: { body: '1795651200000' } });
  now += 5;
  expect(answer(event)).toMatchObject({ reply: { body: '1795651200005' } });
});

test('A header named like a property of every object is a header like others', () => {
  const odd = requestWith([['__proto__', 'x']]);
  const answer = loadEdgeFunction(
    `function handler(event) { return Object.keys(event.request.headers).indexOf('__proto__') >= 0 ? event.request : undefined; }`,
  );
  expect(answer(odd).kind).toBe('request');
});
