import { expect, test } from 'vitest';
import { isOrigin, viewerRequestSource } from '../../edge/source.ts';

const rule = { allowNoContext: false };

test('the rule stands in the source as data, each site once and in lower case', () => {
  const allowedSites = ['https://Site.example', 'https://site.example', 'http://localhost:3000'];
  expect(viewerRequestSource({ ...rule, allowedSites })).toContain(
    'var CONFIG = {"allowedSites":["https://site.example","http://localhost:3000"],"allowNoContext":false,"openPosters":false};',
  );
});

test.each([
  'https://site.example',
  'https://site.example:8443',
  'http://127.0.0.1:8080',
  'http://[::1]:8080',
  'https://xn--mnchen-3ya.example',
])('%s is an origin', (site) => {
  expect(isOrigin(site)).toBe(true);
});

test.each([
  'site.example',
  'https://site.example/',
  'https://site.example/path',
  'https://site.example?x',
  'https://site.example:443',
  'https://user@site.example',
  'https://*.site.example',
  'https://münchen.example',
  'https://"],x:["',
  'ftp://site.example',
  'https://',
  ' https://site.example',
  'null',
  '*',
  '',
])('%j is no origin', (site) => {
  expect(isOrigin(site)).toBe(false);
});

test('every site that is no origin is named at once', () => {
  const allowedSites = ['site.example', 'https://right.example', 'https://wrong.example/'];
  expect(() => viewerRequestSource({ ...rule, allowedSites })).toThrow(
    'These are no origins: "site.example", "https://wrong.example/". Write an origin like https://site.example, without a path.',
  );
});

test('a function larger than CloudFront takes is refused', () => {
  const allowedSites = Array.from({ length: 300 }, (_, index) => `https://site-${index}.example`);
  expect(() => viewerRequestSource({ ...rule, allowedSites })).toThrow(
    /^The edge function would have 1\d{4} bytes, and CloudFront takes 10240\. Name fewer sites than these 300\.$/,
  );
});

test('fifty sites fit', () => {
  const allowedSites = Array.from({ length: 50 }, (_, index) => `https://site-${index}.example`);
  expect(viewerRequestSource({ ...rule, allowedSites })).toContain('https://site-49.example');
});
