import { expect, test } from 'vitest';
import { addressesOf } from '../../../edge/local/addresses.ts';

test('Every address contains the port', () => {
  expect(addressesOf(8080)).toEqual({
    origin: 'http://127.0.0.1:8080',
    sites: ['http://127.0.0.1:8080', 'http://localhost:8080'],
    hosts: ['127.0.0.1:8080', 'localhost:8080'],
  });
});

test('Origins omit port 80, and hosts may have it', () => {
  expect(addressesOf(80)).toEqual({
    origin: 'http://127.0.0.1',
    sites: ['http://127.0.0.1', 'http://localhost'],
    hosts: ['127.0.0.1', '127.0.0.1:80', 'localhost', 'localhost:80'],
  });
});
