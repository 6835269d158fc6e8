import { expect, test } from 'vitest';
import { siteOf } from '../../edge/sites.ts';
import { viewerRequestSource } from '../../edge/source.ts';

const rule = { allowNoContext: false };

test('The source contains the rule as JSON, with each site once and in lower case', () => {
  const allowedSites = [
    'https://Site.example:443',
    'https://site.example',
    'http://localhost:3000',
  ];
  expect(viewerRequestSource({ ...rule, allowedSites })).toContain(
    'var CONFIG = {"allowedSites":["https://site.example","http://localhost:3000"],"allowNoContext":false,"openPosters":false,"tokenKeys":[],"cors":{"methods":"GET, HEAD, OPTIONS",',
  );
});

test.each([
  'https://site.example',
  'https://site.example:8443',
  'http://127.0.0.1:8080',
  'http://[::1]:8080',
  'https://xn--mnchen-3ya.example',
  'https://*.site.example',
  'http://*.a.b.site.example:8080',
])('siteOf accepts %s', (site) => {
  expect(siteOf(site)).toBe(site);
});

test.each([
  ['https://Site.example', 'https://site.example'],
  ['https://site.example:443', 'https://site.example'],
  ['http://site.example:80', 'http://site.example'],
  ['http://[::1]:80', 'http://[::1]'],
  ['https://*.Site.example:443', 'https://*.site.example'],
  ['https://site.example:80', 'https://site.example:80'],
  ['http://site.example:443', 'http://site.example:443'],
])('siteOf normalises %s to %s', (text, site) => {
  expect(siteOf(text)).toBe(site);
});

test.each([
  'site.example',
  'https://site.example/',
  'https://site.example/path',
  'https://site.example?x',
  'https://user@site.example',
  'https://*site.example',
  'https://*',
  'https://*.',
  'https://*.example',
  'https://*.site.example.',
  'https://*..site.example',
  'https://www.*.site.example',
  'https://*.*.site.example',
  'https://site.*',
  'https://*.site.example/',
  'https://*.site.example:*',
  '*://site.example',
  '*.site.example',
  'https://*.[::1]:8080',
  'https://münchen.example',
  'https://"],x:["',
  'ftp://site.example',
  'https://',
  ' https://site.example',
  'null',
  '*',
  '',
])('siteOf rejects %j', (site) => {
  expect(siteOf(site)).toBeUndefined();
});

test('The error names every site that is not an origin', () => {
  const allowedSites = ['site.example', 'https://right.example', 'https://wrong.example/'];
  expect(() => viewerRequestSource({ ...rule, allowedSites })).toThrow(
    'These are not origins: "site.example", "https://wrong.example/". Write an origin like https://site.example, without a path, or https://*.site.example for its subdomains.',
  );
});

test('A source that is larger than CloudFront accepts is refused', () => {
  const allowedSites = Array.from({ length: 300 }, (_, index) => `https://site-${index}.example`);
  expect(() => viewerRequestSource({ ...rule, allowedSites })).toThrow(
    /^The edge function would have 1\d{4} bytes, and CloudFront takes 10240\. Name fewer sites than these 300\.$/,
  );
});

test('Keys count with their size at the deploy, not with that of their expression', () => {
  const template = { ...rule, allowedSites: ['https://site.example'] };
  const plain = Buffer.byteLength(viewerRequestSource(template));
  const room = Math.floor((10_240 - plain) / 23) - 1;
  const sites = Array.from({ length: room }, (_, index) => `https://${1000 + index}.example`);
  const full = { ...template, allowedSites: [...template.allowedSites, ...sites] };
  expect(viewerRequestSource(full).length).toBeGreaterThan(10_180);
  expect(() => viewerRequestSource({ ...full, tokenKeys: ['$'] })).toThrow('10240');
});

test('Fifty sites fit into the source', () => {
  const allowedSites = Array.from({ length: 50 }, (_, index) => `https://site-${index}.example`);
  expect(viewerRequestSource({ ...rule, allowedSites })).toContain('https://site-49.example');
});
