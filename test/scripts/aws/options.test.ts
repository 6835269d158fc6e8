import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  readCheckOptions,
  readDeadLettersOptions,
  readPlayAddressOptions,
  readStatusOptions,
  readStudioOptions,
  readUploadOptions,
} from '../../../scripts/commands/stage-options.ts';
import { UsageError } from '../../../scripts/cli/arguments.ts';

let directory: string;
let file: string;
let other: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vodstack-options-'));
  mkdirSync(join(directory, 'other'));
  file = join(directory, '#2 4 강의.mp4');
  other = join(directory, 'other', '#2 4 강의.mp4');
  for (const path of [file, other]) writeFileSync(path, '');
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('The command line of upload', () => {
  test('names a stage and files.', () => {
    expect(readUploadOptions(['dev', file])).toEqual({ stage: 'dev', files: [file], wait: true });
    expect(readUploadOptions(['dev', file, '--title', '강의 #1', '--no-wait'])).toEqual({
      ...{ stage: 'dev', files: [file], title: '강의 #1', wait: false },
    });
  });

  test('is told of every mistake at once.', () => {
    expect(() => readUploadOptions(['--frob'])).toThrow(
      new UsageError('There is no option --frob.\nWhich stage?'),
    );
    expect(() => readUploadOptions(['dev'])).toThrow(new UsageError('Which files?'));
    expect(() => readUploadOptions(['dev', '/no/such', directory, '--no-wait=1'])).toThrow(
      new UsageError(
        `--no-wait takes no value.\nThere is no file "/no/such".\n"${directory}" is not a file.`,
      ),
    );
  });

  test('names no two files by which one is known.', () => {
    expect(() => readUploadOptions(['dev', file, other])).toThrow(
      /Several files are named "#2 4 강의.mp4"/,
    );
  });

  test('gives a title to one file only.', () => {
    const second = join(directory, 'second.mp4');
    writeFileSync(second, '');
    expect(() => readUploadOptions(['dev', file, second, '--title', 'x'])).toThrow(
      '--title is for one file.',
    );
  });
});

describe('The command line of status', () => {
  test('names a stage.', () => {
    expect(readStatusOptions(['dev'])).toEqual({ stage: 'dev', json: false, last: 20 });
    expect(readStatusOptions(['dev', '--json', '--last=5'])).toEqual({
      ...{ stage: 'dev', json: true, last: 5 },
    });
  });

  test.each([
    [[], 'Which stage?'],
    [['dev', 'prod'], 'One stage at a time, not also prod.'],
    [['dev', '--last', '0'], '--last is a whole number from 1 to 1000, not "0".'],
  ])('%j is refused: %s', (argv, sentence) => {
    expect(() => readStatusOptions(argv)).toThrow(new UsageError(sentence));
  });
});

describe('The command line of check', () => {
  const read = (argv: readonly string[]) => readCheckOptions(argv, '/usual');

  test.each([
    [[], { data: '/usual', plan: false, json: false }],
    [['--data', '/mine', '--plan'], { data: '/mine', plan: true, json: false }],
    [['dev', '--json'], { stage: 'dev', plan: false, json: true }],
  ])('%j names one machine or a stage.', (argv, expected) => {
    expect(read(argv)).toEqual(expected);
  });

  test.each([
    [['dev', '--data', '/mine'], '--data is for one machine, not a stage.'],
    [['dev', 'prod', '--frob'], 'There is no option --frob.\nOne stage at a time, not also prod.'],
  ])('%j is refused: %s', (argv, sentence) => {
    expect(() => read(argv)).toThrow(new UsageError(sentence));
  });
});

describe('The command line of dead-letters', () => {
  const read = readDeadLettersOptions;

  test('says what to do with which.', () => {
    expect(read(['dev', 'list', '--json'])).toEqual({ stage: 'dev', json: true, action: 'list' });
    expect(read(['dev', 'show', 'ab'])).toMatchObject({ action: 'show', chosen: ['ab'] });
    expect(read(['dev', 'replay', 'ab', 'cd'])).toMatchObject({ chosen: ['ab', 'cd'] });
    expect(read(['dev', 'replay', '--all'])).toMatchObject({ action: 'replay', chosen: 'all' });
    expect(read(['dev', 'drop', '--all', '--yes'])).toMatchObject({ chosen: 'all', yes: true });
  });

  test.each([
    [[], 'Which stage?'],
    [['dev'], 'What: list, show, replay or drop?'],
    [['dev', 'frob'], 'frob is none of list, show, replay and drop.'],
    [['dev', 'list', 'ab'], 'list lists them all.'],
    [['dev', 'show'], 'show shows one: which id?'],
    [['dev', 'show', 'ab', 'cd'], 'show shows one: which id?'],
    [['dev', 'replay'], 'replay wants ids, or --all.'],
    [['dev', 'drop', 'ab', '--all'], 'drop wants ids, or --all.'],
    [['dev', 'replay', 'ab', '--yes'], '--yes is for drop.'],
  ])('%j is refused: %s', (argv, sentence) => {
    expect(() => read(argv)).toThrow(new UsageError(sentence));
  });
});

describe('The command line of play-address', () => {
  const read = readPlayAddressOptions;
  const sign = { stage: 'dev', action: 'sign', asset: 'a1' };

  test.each([
    [['dev', 'a1'], { ...sign, seconds: 14_400 }],
    [['dev', 'a1', '--for', '90s'], { ...sign, seconds: 90 }],
    [['dev', 'a1', '--for=15m'], { ...sign, seconds: 900 }],
    [['--for', '365d', 'dev', 'a1'], { ...sign, seconds: 31_536_000 }],
    [['dev', '--rotate'], { stage: 'dev', action: 'rotate' }],
  ])('%j says what is to be done.', (argv, expected) => {
    expect(read(argv)).toEqual(expected);
  });

  const time = '--for is a time like 90s, 15m, 4h or 7d, at most 365d, not';
  test.each([
    [[], 'Which stage?'],
    [['--rotate'], 'Which stage?'],
    [['dev'], 'Which asset?'],
    [['dev', 'v/a1/index.m3u8'], '"v/a1/index.m3u8" is no id of an asset.'],
    [['dev', 'a1', 'b2', '--for', '4'], `One asset at a time, not also b2.\n${time} "4".`],
    [['dev', 'a1', '--for', '0s'], `${time} "0s".`],
    [['dev', 'a1', '--for', '366d'], `${time} "366d".`],
    [['dev', 'a1', '--for', '4 hours'], `${time} "4 hours".`],
    [['dev', 'a1', '--rotate'], '--rotate is for the whole stage.'],
    [['dev', '--rotate', '--for', '4h'], '--rotate is for the whole stage.'],
  ])('%j is refused: %s', (argv, sentence) => {
    expect(() => read(argv)).toThrow(new UsageError(sentence));
  });
});

describe('The command line of studio', () => {
  test('names a stage and a port.', () => {
    expect(readStudioOptions(['dev'])).toEqual({ stage: 'dev', port: 8090 });
    expect(readStudioOptions(['dev', '--port', '0'])).toEqual({ stage: 'dev', port: 0 });
  });

  test('is told of every mistake at once.', () => {
    expect(() => readStudioOptions(['--port', '70000'])).toThrow(
      new UsageError('Which stage?\n--port is a whole number from 0 to 65535, not "70000".'),
    );
  });
});

test.each([
  (argv: readonly string[]) => readCheckOptions(argv, '/usual'),
  readUploadOptions,
  readStatusOptions,
  readStudioOptions,
  readDeadLettersOptions,
  readPlayAddressOptions,
])('Any of them may ask for help, whatever else is wrong.', (read) => {
  expect(read(['--help', '--frob'])).toBe('help');
});
