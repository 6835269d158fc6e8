import { expect, test } from 'vitest';
import { policyHeaders } from '../../local/edge/response-headers.ts';

const sites = ['https://site.example', 'https://*.wild.example'];
const always = {
  vary: 'Origin',
  'x-content-type-options': 'nosniff',
  'timing-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

test.each(['https://site.example', 'https://a.wild.example'])(
  'an allowed origin is told that it may read, and which headers: %s',
  (origin) => {
    expect(policyHeaders(origin, sites)).toEqual({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'Content-Length, Content-Range, Date, ETag',
      ...always,
    });
  },
);

test.each([undefined, 'https://elsewhere.example', 'https://wild.example', 'null', '', '*'])(
  'origin %j gets no CORS headers',
  (origin) => {
    expect(policyHeaders(origin, sites)).toEqual(always);
  },
);
