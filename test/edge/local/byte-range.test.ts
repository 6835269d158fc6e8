import { expect, test } from 'vitest';
import { readRange } from '../../../edge/local/byte-range.ts';

const HUGE = '9'.repeat(400);

test.each([
  ['bytes=0-99', { first: 0, last: 99 }],
  ['bytes=0-0', { first: 0, last: 0 }],
  ['bytes=999-999', { first: 999, last: 999 }],
  ['bytes=100-', { first: 100, last: 999 }],
  ['bytes=-100', { first: 900, last: 999 }],
  ['bytes=-5000', { first: 0, last: 999 }],
  ['bytes=0-5000', { first: 0, last: 999 }],
  [`bytes=0-${HUGE}`, { first: 0, last: 999 }],
  [`bytes=-${HUGE}`, { first: 0, last: 999 }],
  [' Bytes=0-9 ', { first: 0, last: 9 }],
  ['bytes=1000-', 'unsatisfiable'],
  ['bytes=1000-1001', 'unsatisfiable'],
  [`bytes=${HUGE}-`, 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  [undefined, 'whole'],
  ['', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=', 'whole'],
  ['bytes=9-5', 'whole'],
  ['bytes=0-9,20-29', 'whole'],
  ['bytes=0-9, 20-29', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=0x1-0x9', 'whole'],
  ['bytes=1.5-9', 'whole'],
  ['bytes=--9', 'whole'],
  ['lines=0-9', 'whole'],
])('The Range header %j of an object with 1000 bytes is read as %j', (header, expected) => {
  expect(readRange(header, 1000)).toEqual(expected);
});

test.each(['bytes=0-', 'bytes=0-0', 'bytes=-1'])(
  'The Range header %j of an empty object is unsatisfiable',
  (header) => {
    expect(readRange(header, 0)).toBe('unsatisfiable');
  },
);
