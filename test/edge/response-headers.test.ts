import { expect, test } from 'vitest';
import { policyHeaders } from '../../local/edge/response-headers.ts';

const sites = ['https://site.example'];
const always = {
  vary: 'Origin',
  'x-content-type-options': 'nosniff',
  'timing-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

test('an allowed origin is told that it may read, and which headers', () => {
  expect(policyHeaders('https://site.example', sites)).toEqual({
    'access-control-allow-origin': 'https://site.example',
    'access-control-expose-headers': 'Content-Length, Content-Range, Date, ETag',
    ...always,
  });
});

test.each([undefined, 'https://elsewhere.example', 'null', '', '*'])(
  'origin %j gets no CORS headers',
  (origin) => {
    expect(policyHeaders(origin, sites)).toEqual(always);
  },
);
