import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { RejectedError } from '../../../core/model/errors.ts';
import { REJECTIONS, retryCanHelp } from '../../../core/model/rejections.ts';

const manual = new URL('../../../docs/operations.md', import.meta.url);

test('docs/operations.md lists every rejection, first those that no retry can help', async () => {
  const rows = Object.entries(REJECTIONS);
  const sorted = [false, true].flatMap((can) => rows.filter(([, row]) => row.retryCanHelp === can));
  const lines = (await readFile(manual, 'utf8')).split('\n');
  expect(lines.filter((line) => /^- `[a-z]+_[a-z_]+`: /.test(line))).toEqual(
    sorted.map(([code, row]) => `- \`${code}\`: ${row.sentence}`),
  );
});

test('A rejection has the sentence of its row, unless one with details is given', () => {
  expect(new RejectedError('empty_source').message).toBe(REJECTIONS.empty_source.sentence);
  expect(new RejectedError('source_too_long', 'Two hours are too long.').message).toBe(
    'Two hours are too long.',
  );
});

test('A retry cannot help a text file, and can help after a limit, a failure or an unknown code', () => {
  expect(retryCanHelp('unreadable_source')).toBe(false);
  for (const code of ['source_too_long', 'failed', 'a_code_of_another_version']) {
    expect(retryCanHelp(code)).toBe(true);
  }
});
