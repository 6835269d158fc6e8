import { expect, test } from 'vitest';
import { policyHeaders } from '../../../edge/local/response-headers.ts';

const always = {
  'x-content-type-options': 'nosniff',
  'timing-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

test('a page is told that it may read, and which headers, in words that hold for each allowed site', () => {
  expect(policyHeaders('https://site.example')).toEqual({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Content-Length, Content-Range, Date, ETag',
    ...always,
  });
});

test('a request without an origin gets no CORS headers', () => {
  expect(policyHeaders(undefined)).toEqual(always);
});
