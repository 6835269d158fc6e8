import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('programs/bars.ts', import.meta.url));
const NAME = 'a\\u001b]0;owned\\u0007\\u009b2J\\u202egpj b.mp4';

/** What the program writes to a terminal. */
const written = execFileSync(
  'script',
  ['-qec', `'${process.execPath}' --disable-warning=ExperimentalWarning '${PROGRAM}'`, '/dev/null'],
  { encoding: 'utf8', env: { ...process.env, TERM: 'xterm', COLUMNS: '100' } },
);

describe('A report at a terminal', () => {
  test('shows a bar for each file, and writes out what a terminal would obey in its name.', () => {
    expect(written).toContain('50% half.mp4 processing');
    expect(written).toContain(`${NAME} was rejected: There is no picture in ${NAME}.`);
    expect(written).toContain(`${NAME} is noted.`);
    expect(written).not.toMatch(/\x1b\]|[\x07\x80-\x9f\u202e]/);
  });

  test('leaves no bar behind when it is stopped.', () => {
    const [before = '', after = ''] = written.split('Stopping.');
    // Erased from the bar's line to the end of the screen.
    expect(before).toMatch(/\x1b\[0?J[^█░]*$/);
    expect(after).not.toMatch(/[█░]/);
  });
});
