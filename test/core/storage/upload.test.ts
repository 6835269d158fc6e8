import { expect, test } from 'vitest';
import { partBytesOf } from '../../../core/storage/upload.ts';

const [MIB, GIB, TIB] = [2 ** 20, 2 ** 30, 2 ** 40];

test.each([
  [0, 8],
  [8 * MIB, 8],
  [78 * GIB, 8],
  [79 * GIB, 9],
  [100 * GIB, 11],
  [TIB, 105],
  [5 * TIB, 525],
])('A file of %i bytes is sent in at most 10,000 parts of %i MiB', (size, partMib) => {
  expect(partBytesOf(size)).toBe(partMib * MIB);
  expect(Math.ceil(size / partBytesOf(size))).toBeLessThanOrEqual(10_000);
});
