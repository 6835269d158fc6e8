import { expect, test } from 'vitest';
import { policyHeaders } from '../../../edge/local/response-headers.ts';

const always = {
  'x-content-type-options': 'nosniff',
  'timing-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

test('A request with an Origin gets CORS headers that are the same for every allowed site', () => {
  expect(policyHeaders('https://site.example')).toEqual({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'Content-Length, Content-Range, Date, ETag',
    ...always,
  });
});

test('A request without an Origin gets no CORS headers', () => {
  expect(policyHeaders(undefined)).toEqual(always);
});
