import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../scripts/cli/arguments.ts';
import { parse } from '../../scripts/cli/command.ts';
import { command } from '../../scripts/commands/start.ts';

const DATA = fileURLToPath(new URL('../../data', import.meta.url));

let directory: string;
let file: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vodstack-options-'));
  file = join(directory, '#2 4.mp4');
  writeFileSync(file, '');
});
afterAll(() => rmSync(directory, { recursive: true }));

const read = (...argv: readonly string[]) => parse(command, argv);

describe('Options', () => {
  test('The command line can be empty', () => {
    expect(read()).toMatchObject({
      files: [],
      once: false,
      port: 8080,
      dataDirectory: DATA,
      allowedSites: [],
      soundAlone: 'taken',
    });
  });

  test('Every option is read', () => {
    const sites = [
      '--allow',
      'https://a.example',
      '--allow=http://localhost:3000',
      '--allow',
      'https://B.example:443',
    ];
    const numbers = ['--workers', '3', '--port', '0', '--data', directory];
    expect(
      read(
        file,
        '--once',
        '--export',
        '/out',
        '--refuse-sound-alone',
        '--rebuild',
        ...numbers,
        ...sites,
      ),
    ).toEqual({
      files: [file],
      once: true,
      rebuild: true,
      exportDirectory: '/out',
      workers: 3,
      port: 0,
      dataDirectory: directory,
      soundAlone: 'refused',
      allowedSites: ['https://a.example', 'http://localhost:3000', 'https://b.example'],
    });
  });

  test('--help wins over mistakes', () => {
    expect(read('--help', '--frob')).toBe('help');
  });

  test.each([
    [['--frob'], 'There is no option --frob.'],
    [['-x'], 'There is no option -x.'],
    [['--workers', '0'], '--workers is a whole number from 1 to 64, not "0".'],
    [['--workers', '1.5'], '--workers is a whole number from 1 to 64, not "1.5".'],
    [['--port', '70000'], '--port is a whole number from 0 to 65535, not "70000".'],
    [['--export'], '--export needs a value.'],
    [['--export', '--port=0'], '--export needs a value.'],
    [['--once=false'], '--once takes no value.'],
    [
      ['--frob', '--export', '--once=1', '--', '--data'],
      'There is no option --frob.\n--once takes no value.\n--export needs a value.\nThere is no file "--data".',
    ],
    [['--', '-x.mp4'], 'There is no file "-x.mp4".'],
    [
      ['--allow', 'site.example'],
      '--allow takes an origin like https://site.example, not "site.example".',
    ],
    [['--once'], '--once needs the files to wait for.'],
    [['/no/such/file'], 'There is no file "/no/such/file".'],
    [['/tmp'], '"/tmp" is not a file.'],
    [['/etc/passwd/a'], 'There is no file "/etc/passwd/a".'],
    [[`/${'a'.repeat(300)}`], `The file "/${'a'.repeat(300)}" cannot be read: name too long.`],
    [['--data', '/\udcff'], 'The value of --data is not UTF-8.'],
  ])('%j is refused with: %s', (argv, sentence) => {
    expect(() => read(...argv)).toThrow(new UsageError(sentence));
  });

  test('Missing files are accepted beside a readable one, and reported when their turn comes', () => {
    expect(read('/no/such/file', file)).toMatchObject({ files: ['/no/such/file', file] });
  });

  test('Every mistake is named at once', () => {
    expect(() => read('--frob', '--port', 'x', '/no/such/file')).toThrow(
      /--frob\.\n--port is .*\nThere is no file/,
    );
  });
});
