import { expect, test } from 'vitest';
import {
  bitRateText,
  bytesText,
  clock,
  plural,
  skippedSentences,
  timeLeft,
} from '../../studio/page/format.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1 kB'],
  [8_388_608, '8.4 MB'],
  [98_700_000, '99 MB'],
  [999_999_999, '1.0 GB'],
  [3_200_000_000, '3.2 GB'],
  [5e15, '5000 TB'],
])('%d bytes are written as %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

test.each([
  [151_400, '151 kb/s'],
  [999_600, '1.0 Mb/s'],
  [2_100_000, '2.1 Mb/s'],
])('%d bits/s are written as %s', (rate, text) => expect(bitRateText(rate)).toBe(text));

test.each([
  [3, 'a few seconds left'],
  [41, '45 s left'],
  [130, '2 min left'],
  [5_400, '1.5 h left'],
])('%d remaining seconds are written as %s', (seconds, text) =>
  expect(timeLeft(seconds)).toBe(text),
);

test.each([
  [6.2, '0:06'],
  [184, '3:04'],
  [3_725, '1:02:05'],
])('A length of %d s is written as %s', (seconds, text) => expect(clock(seconds)).toBe(text));

test('A count of one is singular, and any other is plural', () => {
  expect([0, 1, 2].map((count) => plural(count, 'video'))).toEqual([
    '0 videos',
    '1 video',
    '2 videos',
  ]);
});

test('Rungs that were left out for the same reason share a sentence', () => {
  const skipped = [
    { rung: '1080p', reason: 'larger_than_source' },
    { rung: '540p', reason: 'same_size_as_another' },
    { rung: '720p', reason: 'larger_than_source' },
  ] as const;
  expect(skippedSentences(skipped)).toEqual([
    '1080p, 720p left out: the picture of the file is smaller, and is never enlarged.',
    '540p left out: it would have the size of another one.',
  ]);
});
