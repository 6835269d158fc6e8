import { expect, test } from 'vitest';
import { viewerRequestEvent } from '../../edge/event.ts';

test('A request becomes the event that CloudFront would pass to a function', () => {
  const event = viewerRequestEvent({
    method: 'GET',
    url: '/v/%232%20+4.m3u8?a=1&b&a=%20&a==',
    rawHeaders: [
      ...['Host', 'cdn.example'],
      ...['X-Twice', 'one', 'x-twice', 'two'],
      ...['Cookie', 'id=1; theme=dark', 'Cookie', 'id=2'],
    ],
    requestId: 'one',
  });
  expect(event).toEqual({
    version: '1.0',
    context: {
      distributionDomainName: 'd111111abcdef8.cloudfront.net',
      distributionId: 'LOCAL',
      eventType: 'viewer-request',
      requestId: 'one',
    },
    viewer: { ip: '127.0.0.1' },
    request: {
      method: 'GET',
      uri: '/v/%232%20+4.m3u8',
      querystring: {
        a: { value: '1', multiValue: [{ value: '1' }, { value: '%20' }, { value: '=' }] },
        b: { value: '' },
      },
      headers: {
        host: { value: 'cdn.example' },
        'x-twice': { value: 'one', multiValue: [{ value: 'one' }, { value: 'two' }] },
      },
      cookies: {
        id: { value: '1', multiValue: [{ value: '1' }, { value: '2' }] },
        theme: { value: 'dark' },
      },
    },
  });
});
