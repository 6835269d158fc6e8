import { describe, expect, test } from 'vitest';
import { loadEdgeFunction } from '../../local/edge/edge-function.ts';
import { requestWith } from './requests.ts';

const event = requestWith([['Origin', 'https://site.example']]);

/** A function with that body, run once on the event. */
function run(body: string) {
  return loadEdgeFunction(`function handler(event) { var request = event.request; ${body} }`)(
    event,
  );
}

function refused(status: number) {
  return { kind: 'reply', reply: { status, headers: { 'cache-control': 'no-store' } } };
}

test('a function that returns the request lets it go on, to the address that it says', () => {
  expect(run('return request')).toEqual({ kind: 'request', uri: event.request.uri });
  expect(run("request.uri = '/v/b'; return request")).toEqual({ kind: 'request', uri: '/v/b' });
});

test('a function that returns a response answers with it', () => {
  const answer = run(
    `return { statusCode: 404, headers: { a: { value: 'b' }, c: { value: 'd', multiValue: [{ value: 'd' }, { value: 'e' }] } }, body: 'f' }`,
  );
  expect(answer).toEqual({
    kind: 'reply',
    reply: { status: 404, headers: { a: 'b', c: 'd, e' }, body: 'f' },
  });
});

describe('answers 502 to what CloudFront refuses', () => {
  test.each([
    ['nothing', ''],
    ['text', "return 'yes'"],
    ['an object that is neither request nor response', 'return {}'],
    ['a promise', 'return Promise.resolve(request)'],
    ['another method', "request.method = 'PUT'; return request"],
    ['another host', "request.headers.host = { value: 'x' }; return request"],
    ['no host', 'delete request.headers.host; return request'],
    ['an address without a slash', "request.uri = 'v/b'; return request"],
    ['an address that is no text', 'request.uri = 4; return request'],
    [
      "a header of CloudFront's own",
      "request.headers['x-edge-a'] = { value: 'x' }; return request",
    ],
    ['a header that is no object', "request.headers.a = 'x'; return request"],
    ['a status that is none', 'return { statusCode: 42 }'],
    ['a status as text', "return { statusCode: '403' }"],
    [
      'a length in the response',
      "return { statusCode: 200, headers: { 'content-length': { value: '1' } } }",
    ],
    [
      'a cache note in the response',
      "return { statusCode: 200, headers: { 'x-cache': { value: 'Hit' } } }",
    ],
    [
      'a header name in capitals',
      "return { statusCode: 200, headers: { Vary: { value: 'Origin' } } }",
    ],
    [
      'a header name with a space',
      "return { statusCode: 200, headers: { 'a b': { value: 'c' } } }",
    ],
    [
      'a header value with a line break',
      "return { statusCode: 200, headers: { a: { value: 'b\\r\\nc: d' } } }",
    ],
  ])('%s', (_about, body) => {
    expect(run(body)).toEqual(refused(502));
  });
});

describe('answers 503 when the function fails', () => {
  test.each([
    ['throws', "throw new Error('no')"],
    ['throws what is no error', 'throw undefined'],
    ['never ends', 'for (;;) {}'],
    ['recurs without end', 'return handler(event)'],
    ['reads what is not there', 'return request.headers.nothing.value'],
    ['assigns to an undeclared name', 'undeclared = 1; return request'],
    ['makes code from text', "return eval('request')"],
    ['makes a function from text', "return new Function('return 1')()"],
    ['makes code by way of a constructor', "return (function () {}).constructor('return 1')()"],
  ])('%s', (_about, body) => {
    expect(run(body)).toEqual(refused(503));
  });

  test('the next request is answered all the same', () => {
    const answer = loadEdgeFunction(
      `var calls = 0; function handler(event) { calls += 1; if (calls === 1) throw new Error('no'); return event.request; }`,
    );
    expect(answer(event)).toEqual(refused(503));
    expect(answer(event).kind).toBe('request');
  });
});

describe('has nothing that the real runtime lacks', () => {
  test.each([
    ...['process', 'require', 'global', 'setTimeout', 'setInterval', 'fetch', 'URL', 'Buffer'],
    ...['XMLHttpRequest', 'Map', 'Set', 'WeakMap', 'Proxy', 'Intl', 'BigInt', 'WebAssembly'],
  ])('%s', (name) => {
    expect(run(`return typeof ${name} === 'undefined' ? request : undefined`).kind).toBe('request');
  });

  test.each(['[].flat', '[].at', "''.matchAll", 'Array.from', 'Object.fromEntries'])(
    '%s',
    (name) => {
      expect(run(`return ${name} === undefined ? request : undefined`).kind).toBe('request');
    },
  );
});

test('a function that is no program is refused when it is loaded', () => {
  expect(() => loadEdgeFunction('function handler(event) {')).toThrow(SyntaxError);
});

test('a header that is named like a part of every object is a header like others', () => {
  const odd = requestWith([['__proto__', 'x']]);
  const answer = loadEdgeFunction(
    `function handler(event) { return Object.keys(event.request.headers).indexOf('__proto__') >= 0 ? event.request : undefined; }`,
  );
  expect(answer(odd).kind).toBe('request');
});
