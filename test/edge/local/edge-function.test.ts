import { describe, expect, test } from 'vitest';
import { loadEdgeFunction } from '../../../edge/local/edge-function.ts';
import { requestWith } from '../../../edge/event.ts';

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
    ['a promise of nothing', 'return Promise.resolve()'],
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
    ['returns a promise that fails', "return Promise.reject(new Error('no'))"],
    ['waits for what never comes', 'return new Promise(function () {})'],
    ['never ends, in a promise', 'return Promise.resolve().then(function () { for (;;) {} })'],
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
    ...['process', 'module', 'global', 'setTimeout', 'setInterval', 'fetch', 'URL', 'escape'],
    ...['setImmediate', 'clearTimeout', 'queueMicrotask', 'structuredClone', 'Iterator', 'Reflect'],
    ...[
      'AggregateError',
      'BigInt64Array',
      'SharedArrayBuffer',
      'XMLHttpRequest',
      'Map',
      'Set',
      'WeakMap',
      'Proxy',
      'Intl',
      'BigInt',
      'WebAssembly',
    ],
  ])('%s', (name) => {
    expect(run(`return typeof ${name} === 'undefined' ? request : undefined`).kind).toBe('request');
  });

  test.each([
    ...['[].flat', '[].at', '[].findLast', '[].toSorted', '[].keys', 'Array.from'],
    ...["''.matchAll", "''.isWellFormed", "''.normalize", 'String.raw', 'new Uint8Array(1).at'],
    ...['Object.fromEntries', 'Object.hasOwn', 'Promise.withResolvers', 'Error.captureStackTrace'],
  ])('%s', (name) => {
    expect(run(`return ${name} === undefined ? request : undefined`).kind).toBe('request');
  });
});

/** What an expression is in the function. */
function made(expression: string) {
  const answer = run(
    `var crypto = require('crypto'); return { statusCode: 200, body: String(${expression}) };`,
  );
  return answer.kind === 'reply' ? (answer.reply.body ?? answer.reply.status) : answer.uri;
}

describe('has what cloudfront-js-2.0 documents', () => {
  test.each([
    ["require('buffer').Buffer.from('강의', 'utf8').toString('hex')", 'eab095ec9d98'],
    ["require('buffer').Buffer.from('-_8', 'base64url').toString('hex')", 'fbff'],
    ["require('buffer').Buffer.from([251, 255]).toString('base64url')", '-_8'],
    ["Buffer === require('buffer').Buffer", 'true'],
    ["Buffer.concat([Buffer.alloc(1, 'a'), Buffer.from('b')]).toString()", 'ab'],
    ["Buffer.from('강의').readUInt16BE(1)", '45205'],
    ["Buffer.isBuffer(crypto.createHash('md5').digest())", 'true'],
    ["require('querystring').decode('a=1').a", '1'],
    ["require('querystring').encode({ a: 1 })", 'a=1'],
    ["require('querystring').parse('a=1&b=%20+&a=2').a.join()", '1,2'],
    ["require('querystring').stringify({ a: ['1', '2'], b: 'c d' })", 'a=1&a=2&b=c%20d'],
    ["require('querystring').escape('a b&')", 'a%20b%26'],
    ["require('querystring').unescape('a%20b%26')", 'a b&'],
    ["btoa('a~~b?')", 'YX5+Yj8='],
    ["atob('YX5+Yj8=')", 'a~~b?'],
    ["new TextEncoder().encode('é').length", '2'],
    ['new TextDecoder().decode(new Uint8Array([195, 169]))', 'é'],
    [
      "JSON.stringify(new TextEncoder().encodeInto('aé강', new Uint8Array(4)))",
      '{"read":2,"written":3}',
    ],
    ['new TextDecoder().encoding', 'utf-8'],
    ["new TextDecoder('utf-8').decode(new Uint8Array([239, 187, 191, 97]))", 'a'],
    ["[3, 1, 2].sort().concat([4]).indexOf(4) + 'ab'.charCodeAt(1)", '101'],
    ["Uint8Array.of(1, 2).map(function (one) { return one * 2; }).join('')", '24'],
    ["new InternalError('a') instanceof Error", 'true'],
    ['typeof console.log', 'function'],
    ['typeof console.error', 'undefined'],
  ])('%s', (expression, expected) => {
    expect(made(expression)).toBe(expected);
  });

  test.each([
    ["atob('*')"],
    ["btoa('강')"],
    ["new TextDecoder('utf-16')"],
    ["new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]))"],
    ["require('querystring').parse('a:1;b:2', ';', ':')"],
  ])('and refuses what is wrong: %s', (expression) => {
    expect(made(expression)).toBe(503);
  });

  test('a handler that awaits', () => {
    const answer = loadEdgeFunction(
      'async function handler(event) { await null; return event.request; }',
    );
    expect(answer(event).kind).toBe('request');
  });
});

describe('hashes as cloudfront-js-2.0 documents', () => {
  // RFC 1321, FIPS 180-4, RFC 2202 and RFC 4231.
  test.each([
    ["createHash('md5').update('abc').digest('hex')", '900150983cd24fb0d6963f7d28e17f72'],
    ["createHash('sha1').update('abc').digest('hex')", 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    [
      "createHash('sha256').update('a').update('bc').digest('base64')",
      'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=',
    ],
    [
      "createHash('sha256').update('abc').digest('base64url')",
      'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0',
    ],
    [
      "createHmac('md5', 'Jefe').update('what do ya want for nothing?').digest('hex')",
      '750c783e6ab0b503eaa86e310a5db738',
    ],
    [
      "createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex')",
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    ["createHash('sha256').update('강의').digest('hex').length", '64'],
    ["createHash('md5').update(new Uint8Array([97, 98, 99])).digest().length", '16'],
    [
      "createHash('md5').update(require('buffer').Buffer.from('abc')).digest().toString('hex')",
      '900150983cd24fb0d6963f7d28e17f72',
    ],
  ])('%s', (expression, expected) => {
    expect(made(`crypto.${expression}`)).toBe(expected);
  });

  test.each([
    ["require('fs')"],
    ["require('constructor')"],
    ["require('cloudfront')"],
    ["require('node:crypto')"],
    ["crypto.createHash('sha512')"],
    ["crypto.createHmac('sha256')"],
    ["crypto.createHash('md5').update(4)"],
    ["crypto.createHash('md5').update('a').digest('utf8')"],
    ['crypto.randomBytes(1)'],
    ["(function (hash) { hash.digest('hex'); hash.digest('hex'); })(crypto.createHash('md5'))"],
  ])('and nothing else: %s', (expression) => {
    expect(made(expression)).toBe(503);
  });

  // Code made from text is refused in the function's own realm alone: whatever came from ours would make it.
  test.each([
    'require.constructor',
    'crypto.constructor.constructor',
    'crypto.createHash.constructor',
    "crypto.createHash('md5').update.constructor",
    "crypto.createHash('md5').digest.constructor",
    "crypto.createHash('md5').digest('hex').constructor.constructor",
    'Date.now.constructor',
    'this.constructor.constructor',
    'Object.getPrototypeOf(async function () {}).constructor',
  ])('leaves no way out by %s', (way) => {
    expect(
      made(`(function () {
        try { return ${way}('return typeof process')() } catch (error) {
          return error instanceof EvalError || error instanceof TypeError;
        }
      }).call(globalThis)`),
    ).toBe('true');
  });

  test('leaves no way out by an error, also where the stack ends in what is ours', () => {
    // The depth at which a digest just fits is looked for; about there our own part is what does not. It
    // moves, as V8 compiles what runs often, so that one search may miss it.
    const errors = `
      var errors = [];
      function fits(depth) {
        try { down(depth); return true; } catch (error) { errors.push(error); return false; }
      }
      function down(depth) {
        return depth > 0 ? down(depth - 1) : crypto.createHash('md5').update('a').digest('hex');
      }
      var fitting = 0;
      for (var step = 16384; step >= 1; step /= 2) if (fits(fitting + step)) fitting += step;
      for (var depth = fitting - 20; depth < fitting + 20; depth += 1) fits(depth);
      try { crypto.createHash('md5').digest('utf8'); } catch (error) { errors.push(error); }`;
    for (let search = 0; search < 10; search += 1) {
      expect(
        made(
          `(function () { ${errors} return errors.length > 2 && errors.every(function (one) { return one instanceof Error; }); })()`,
        ),
      ).toBe('true');
    }
  });
});

test('the clock stands still while a function runs, and goes on for the next', () => {
  let now = Date.UTC(2026, 10, 26);
  const clock = loadEdgeFunction(
    `function handler() {
       var first = Date.now();
       for (var i = 0; i < 1e6; i += 1) { first += 0; }
       return { statusCode: 200, body: [first, Date.now() - first, new Date() - first,
         new (new Date().constructor)() - first, Date().length > 0, new Date() instanceof Date,
         Date.UTC(1970, 0, 2), new Date('1970-01-01').getTime(), Date.parse('1970-01-01')].join(' ') };
     }`,
    () => now,
  );
  const body = () => {
    const answer = clock(event);
    return answer.kind === 'reply' ? answer.reply.body : undefined;
  };
  expect(body()).toBe('1795651200000 0 0 0 true true 86400000 0 0');
  now += 5;
  expect(body()).toBe('1795651200005 0 0 0 true true 86400000 0 0');
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
