import { expect, test } from 'vitest';
import { run } from '../../../scripts/aws/run.ts';

const input = 'a password, and more than a pipe holds '.repeat(10_000);

test('A program that exits before it has read its input fails by its exit code alone', async () => {
  const { signal: stop } = new AbortController();
  await run('true', [], { stop, input });
  await expect(run('false', [], { stop, input })).rejects.toThrow('false ended with 1.');
});
