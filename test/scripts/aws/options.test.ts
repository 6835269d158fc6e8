import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../../scripts/cli/arguments.ts';
import { parse } from '../../../scripts/cli/command.ts';
import type { Subcommand } from '../../../scripts/cli/command.ts';
import { command as check } from '../../../scripts/commands/check.ts';
import { command as deadLetters } from '../../../scripts/commands/dead-letters.ts';
import { command as deploy } from '../../../scripts/commands/deploy.ts';
import { command as playAddress } from '../../../scripts/commands/play-address.ts';
import { command as smoke } from '../../../scripts/commands/smoke.ts';
import { command as status } from '../../../scripts/commands/status.ts';
import { command as studio } from '../../../scripts/commands/studio.ts';
import { command as teardown } from '../../../scripts/commands/teardown.ts';
import { command as upload } from '../../../scripts/commands/upload.ts';

const DATA = fileURLToPath(new URL('../../../data', import.meta.url));

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
  test('names a stage and files', () => {
    expect(parse(upload, ['dev', file])).toEqual({ stage: 'dev', files: [file], wait: true });
    expect(parse(upload, ['dev', file, '--title', '강의 #1', '--no-wait'])).toEqual({
      stage: 'dev',
      files: [file],
      title: '강의 #1',
      wait: false,
    });
  });

  test('names every mistake at once', () => {
    expect(() => parse(upload, ['--frob'])).toThrow(
      new UsageError('There is no option --frob.\nWhich stage?'),
    );
    expect(() => parse(upload, ['dev'])).toThrow(new UsageError('Which files?'));
    expect(() => parse(upload, ['dev', '/no/such', directory, '--no-wait=1'])).toThrow(
      new UsageError(
        `--no-wait takes no value.\nThere is no file "/no/such".\n"${directory}" is not a file.`,
      ),
    );
  });

  test('names no two files of the same name', () => {
    expect(() => parse(upload, ['dev', file, other])).toThrow(
      /Several files are named "#2 4 강의.mp4"/,
    );
  });

  test('gives a title to one file only', () => {
    const second = join(directory, 'second.mp4');
    writeFileSync(second, '');
    expect(() => parse(upload, ['dev', file, second, '--title', 'x'])).toThrow(
      '--title is for one file.',
    );
  });
});

describe('The command line of status', () => {
  test('names a stage', () => {
    expect(parse(status, ['dev'])).toEqual({ stage: 'dev', json: false, last: 20 });
    expect(parse(status, ['dev', '--json', '--last=5'])).toEqual({
      stage: 'dev',
      json: true,
      last: 5,
    });
  });

  test.each([
    [[], 'Which stage?'],
    [['dev', 'prod'], 'One stage at a time, not also prod.'],
    [['dev', '--last', '0'], '--last is a whole number from 1 to 1000, not "0".'],
  ])('%j is refused with: %s', (argv, sentence) => {
    expect(() => parse(status, argv)).toThrow(new UsageError(sentence));
  });
});

describe('The command line of check', () => {
  const read = (argv: readonly string[]) => parse(check, argv);

  test.each([
    [[], { data: DATA, plan: false, json: false }],
    [['--data', '/mine', '--plan'], { data: '/mine', plan: true, json: false }],
    [['dev', '--json'], { stage: 'dev', plan: false, json: true }],
  ])('%j names one machine or a stage', (argv, expected) => {
    expect(read(argv)).toEqual(expected);
  });

  test.each([
    [['dev', '--data', '/mine'], '--data is for one machine, not a stage.'],
    [['dev', 'prod', '--frob'], 'There is no option --frob.\nOne stage at a time, not also prod.'],
  ])('%j is refused with: %s', (argv, sentence) => {
    expect(() => read(argv)).toThrow(new UsageError(sentence));
  });
});

describe('The command line of dead-letters', () => {
  const read = (argv: readonly string[]) => parse(deadLetters, argv);

  test('names an action and ids', () => {
    expect(read(['dev', 'list', '--json'])).toEqual({ stage: 'dev', json: true, action: 'list' });
    expect(read(['dev', 'show', 'ab'])).toMatchObject({ action: 'show', chosen: ['ab'] });
    expect(read(['dev', 'replay', 'ab', 'cd'])).toMatchObject({ chosen: ['ab', 'cd'] });
    expect(read(['dev', 'replay', '--all'])).toMatchObject({ action: 'replay', chosen: 'all' });
    expect(read(['dev', 'drop', '--all', '--yes'])).toMatchObject({ chosen: 'all', yes: true });
  });

  test.each([
    [[], 'Which stage?'],
    [['dev'], 'Which action: list, show, replay or drop?'],
    [['dev', 'frob'], 'frob is none of list, show, replay and drop.'],
    [['dev', 'list', 'ab'], 'list shows all of them.'],
    [['dev', 'show'], 'show shows one: which id?'],
    [['dev', 'show', 'ab', 'cd'], 'show shows one: which id?'],
    [['dev', 'replay'], 'replay needs ids, or --all.'],
    [['dev', 'drop', 'ab', '--all'], 'drop needs ids, or --all.'],
    [['dev', 'replay', 'ab', '--yes'], '--yes is for drop.'],
  ])('%j is refused with: %s', (argv, sentence) => {
    expect(() => read(argv)).toThrow(new UsageError(sentence));
  });
});

describe('The command line of play-address', () => {
  const read = (argv: readonly string[]) => parse(playAddress, argv);
  const sign = { stage: 'dev', action: 'sign', asset: 'a1' };

  test.each([
    [['dev', 'a1'], { ...sign, seconds: 14_400 }],
    [['dev', 'a1', '--for', '90s'], { ...sign, seconds: 90 }],
    [['dev', 'a1', '--for=15m'], { ...sign, seconds: 900 }],
    [['--for', '365d', 'dev', 'a1'], { ...sign, seconds: 31_536_000 }],
    [['dev', '--rotate'], { stage: 'dev', action: 'rotate' }],
  ])('%j asks for an address or a rotation', (argv, expected) => {
    expect(read(argv)).toEqual(expected);
  });

  const time = '--for is a time like 90s, 15m, 4h or 7d, at most 365d, not';
  test.each([
    [[], 'Which stage?'],
    [['--rotate'], 'Which stage?'],
    [['dev'], 'Which asset?'],
    [['dev', 'v/a1/index.m3u8'], '"v/a1/index.m3u8" is not the id of an asset.'],
    [['dev', 'a1', 'b2', '--for', '4'], `One asset at a time, not also b2.\n${time} "4".`],
    [['dev', 'a1', '--for', '0s'], `${time} "0s".`],
    [['dev', 'a1', '--for', '366d'], `${time} "366d".`],
    [['dev', 'a1', '--for', '4 hours'], `${time} "4 hours".`],
    [['dev', 'a1', '--rotate'], '--rotate is for the whole stage.'],
    [['dev', '--rotate', '--for', '4h'], '--rotate is for the whole stage.'],
  ])('%j is refused with: %s', (argv, sentence) => {
    expect(() => read(argv)).toThrow(new UsageError(sentence));
  });
});

describe('The command line of studio', () => {
  test('names a stage and a port', () => {
    expect(parse(studio, ['dev'])).toEqual({ stage: 'dev', port: 8090 });
    expect(parse(studio, ['dev', '--port', '0'])).toEqual({ stage: 'dev', port: 0 });
  });

  test('names every mistake at once', () => {
    expect(() => parse(studio, ['--port', '70000'])).toThrow(
      new UsageError('Which stage?\n--port is a whole number from 0 to 65535, not "70000".'),
    );
  });
});

describe('The command lines of deploy, teardown and smoke', () => {
  const rest = { stage: 'dev' };

  test('name a stage', () => {
    const flags = { onlyPlan: false, rebuild: false, newSecret: false };
    expect(parse(deploy, ['dev'])).toEqual({ ...rest, ...flags });
    expect(parse(teardown, ['dev'])).toEqual({ ...rest, yes: false, evenProtected: false });
    expect(parse(smoke, ['dev'])).toEqual({ ...rest, teardown: false, json: false });
  });

  test('have flags', () => {
    const flags = { onlyPlan: true, rebuild: true, newSecret: true };
    const given = ['dev', '--plan', '--rebuild', '--new-origin-secret'];
    expect(parse(deploy, given)).toEqual({ ...rest, ...flags });
    const both = { yes: true, evenProtected: true };
    expect(parse(teardown, ['--yes', 'dev', '--even-protected'])).toEqual({ ...rest, ...both });
    const options = { teardown: true, json: true };
    expect(parse(smoke, ['dev', '--teardown', '--json'])).toEqual({ ...rest, ...options });
  });
});

test.each(
  Object.entries<Subcommand>({
    check,
    deadLetters,
    deploy,
    playAddress,
    smoke,
    status,
    studio,
    teardown,
    upload,
  }),
)('With --help, %s ignores mistakes', (_name, command) => {
  expect(parse(command, ['--help', '--frob'])).toBe('help');
});
