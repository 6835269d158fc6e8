import { expect, test } from 'vitest';
import { addressesOf } from '../../../edge/local/addresses.ts';

test('a port stands in every address of the server', () => {
  expect(addressesOf(8080)).toEqual({
    origin: 'http://127.0.0.1:8080',
    sites: ['http://127.0.0.1:8080', 'http://localhost:8080'],
    hosts: ['127.0.0.1:8080', 'localhost:8080'],
  });
});

test('port 80 stands in no origin, and may stand in the host', () => {
  expect(addressesOf(80)).toEqual({
    origin: 'http://127.0.0.1',
    sites: ['http://127.0.0.1', 'http://localhost'],
    hosts: ['127.0.0.1', '127.0.0.1:80', 'localhost', 'localhost:80'],
  });
});
