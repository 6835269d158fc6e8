import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkHls } from '../hls/check.ts';
import { clip } from './clips.ts';

const PROGRAM = fileURLToPath(new URL('../../scripts/cli/main.ts', import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vodstack-start-'));
});
afterEach(() => rm(directory, { recursive: true, maxRetries: 10, retryDelay: 200 }));

function start(...argv: readonly string[]): ChildProcess {
  const data = ['--data', join(directory, 'data'), '--port', '0'];
  return spawn(process.execPath, [PROGRAM, 'start', ...data, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function run(...argv: readonly string[]) {
  const child = start(...argv);
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('The program has no output.');
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [out, err, [code]] = await Promise.all([text(stdout), text(stderr), ended]);
  return {
    code: code,
    out,
    err,
    lines: out
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map(parse),
  };
}

function parse(line: string): Readonly<Record<string, unknown>> {
  return JSON.parse(line) as Readonly<Record<string, unknown>>;
}

describe('Export', () => {
  test('With --once and --export, each file becomes a line of JSON and an exported asset, and a second run encodes nothing', async () => {
    const file = clip({ name: '#2 4 Protection with PropTypes.mp4', seconds: 7, size: '320x180' });
    const out = join(directory, 'out');
    const first = await run('--once', '--export', out, file);
    expect(first.code).toBe(0);
    expect(first.lines).toEqual([
      {
        source: '#2 4 Protection with PropTypes.mp4',
        status: 'ready',
        assetId: expect.stringMatching(/^[0-9a-f]{20}$/) as string,
        playlist: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v\/.*\.m3u8$/) as string,
        page: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/watch\//) as string,
        exported: expect.stringMatching(/index\.m3u8$/) as string,
        durationSeconds: expect.closeTo(7, 1) as number,
        renditions: ['180p'],
        leftOut: [],
        elapsedSeconds: expect.any(Number) as number,
      },
    ]);
    const exported = String(first.lines[0]?.['exported']);
    const read = (path: string) => readFile(join(dirname(exported), path));
    expect(await checkHls(read, `/${basename(exported)}`)).toEqual([]);
    const again = await run('--once', file);
    expect(again.lines[0]).toMatchObject({ assetId: first.lines[0]?.['assetId'], status: 'ready' });
    expect(again.err).not.toContain('unit.started');
  });

  test('With --once, a rejected file is reported with its reason, the others become assets, and the exit code is 1', async () => {
    const notes = join(directory, 'notes.mp4');
    await writeFile(notes, 'These are notes.');
    const { code, lines } = await run('--once', notes, clip({ name: 'fine.mp4', seconds: 2 }));
    expect(code).toBe(1);
    expect(lines.find(({ source }) => source === 'notes.mp4')).toEqual({
      source: 'notes.mp4',
      status: 'rejected',
      code: 'unreadable_source',
      reason: expect.stringContaining('not a video') as string,
    });
    expect(lines.find(({ source }) => source === 'fine.mp4')).toMatchObject({ status: 'ready' });
  });
});

describe('A lost index', () => {
  const index = () => join(directory, 'data', 'index.sqlite');

  test('A lost index stops the start with a sentence, and --rebuild restores every video without encoding', async () => {
    const file = clip({ name: 'fine.mp4', seconds: 2 });
    const out = join(directory, 'out');
    const first = await run('--once', '--export', out, file);
    const before = await filesIn(out);
    await rm(index());
    const refused = await run('--once', file);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain(`The index ${index()} is missing.`);
    expect(refused.err).toContain('./scripts/start --rebuild');
    await rm(out, { recursive: true });
    const rebuilt = await run('--once', '--rebuild', '--export', out, file);
    expect(rebuilt.code).toBe(0);
    expect(rebuilt.err).toMatch(/Found \d+ objects of .* in delivery, 1 in source/);
    expect(rebuilt.err).not.toContain('unit.started');
    expect(rebuilt.lines[0]).toMatchObject({ assetId: first.lines[0]?.['assetId'] });
    expect(await filesIn(out)).toEqual(before);
  });

  test('A lost index ends a running command at once, with a sentence', async () => {
    const child = start(clip({ name: 'fine.mp4', seconds: 2 }));
    if (!child.stdout || !child.stderr) throw new Error('The program has no output.');
    const said = text(child.stderr);
    await once(child.stdout, 'data');
    await rm(index());
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(await said).toContain(`The index ${index()} was deleted while vodstack was running.`);
  });
});

async function filesIn(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const names = await readdir(folder, { recursive: true });
  const files = names.filter((name) => /\.\w+$/.test(name)).sort();
  return new Map(
    await Promise.all(
      files.map(async (name) => [name, await readFile(join(folder, name))] as const),
    ),
  );
}

describe('An unusable file', () => {
  test('An unusable file is reported in its line, the others become assets, and names need not be UTF-8', async () => {
    const fine = clip({ name: 'fine.mp4', seconds: 2 });
    // Node passes only UTF-8 to its children; a shell passes any bytes.
    const script = `cp "$1" "$(printf 'caf\\351.mp4')"; mkdir folder
      exec "$2" "$3" start --once --port 0 --data data /no/such.mp4 folder "$(printf 'caf\\351.mp4')" "$1"`;
    const argv = ['-c', script, 'sh', fine, process.execPath, PROGRAM];
    const child = spawn('sh', argv, { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = once(child, 'close');
    const lines = (await text(child.stdout)).trim().split('\n').map(parse);
    expect((await ended)[0]).toBe(1);
    const result = (source: string) => lines.find((line) => line['source'] === source);
    expect(lines).toHaveLength(4);
    expect(result('such.mp4')).toEqual({
      source: 'such.mp4',
      status: 'failed',
      code: 'failed',
      reason: 'There is no file "/no/such.mp4".',
    });
    expect(result('folder')).toMatchObject({ reason: '"folder" is not a file.' });
    expect(result('caf\ufffd.mp4')).toMatchObject({ status: 'ready' });
    expect(result('fine.mp4')).toMatchObject({ status: 'ready' });
  });
});

describe('A wrong command line', () => {
  test('A wrong command line gives a sentence for each mistake, and nothing is started', async () => {
    const { code, out, err } = await run('--frob', '--workers', '0', '/no/such/file');
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(
      'There is no option --frob.\n--workers is a whole number from 1 to 64, not "0".\nThere is no file "/no/such/file".\nSee ./scripts/start --help.\n',
    );
  });

  test.each([
    ['--export', 'below/a', 'not a directory'],
    ['--data', 'below/a', 'not a directory'],
    ['--data', '/proc/no/such', 'no such file or directory'],
    ['--data', '/proc', 'no such file or directory'],
  ])(
    'A folder for %s at %s that cannot be written is reported with a sentence',
    async (option, path, why) => {
      const file = clip({ name: 'fine.mp4', seconds: 2 });
      const folder = resolve(file, path);
      const { code, err } = await run('--once', file, option, folder);
      expect([code, err]).toEqual([
        2,
        `${option}: the folder "${folder}" cannot be written: ${why}.\nSee ./scripts/start --help.\n`,
      ]);
    },
  );

  test('A port that is in use is reported with a sentence', async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, err } = await run(
      '--once',
      '--port',
      String(port),
      clip({ name: 'fine.mp4', seconds: 2 }),
    );
    server.close();
    expect(code).toBe(1);
    expect(err).toContain(
      `Port ${port} is taken. Choose another with --port, or 0 for any free one.\n`,
    );
  });
});

test('A worker that is killed four times right after its start is restarted, and the file becomes an asset', async () => {
  // The message of a killed worker is delivered again soon.
  vi.stubEnv('VISIBILITY_SECONDS', '3');
  const child = start('--once', '--workers', '1', clip({ name: 'fine.mp4', seconds: 2 }));
  if (!child.stdout || !child.stderr) throw new Error('The program has no output.');
  const results = text(child.stdout);
  const ended = once(child, 'close');
  vi.unstubAllEnvs();
  let kills = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    if (kills === 4 || !line.includes('"worker.started"')) continue;
    process.kill(Number(parse(line)['pid']), 'SIGKILL');
    kills += 1;
  }
  expect([await ended, kills]).toEqual([[0, null], 4]);
  expect(parse((await results).trim())).toMatchObject({ status: 'ready' });
});

test('--help prints the usage', async () => {
  const { code, out } = await run('--help');
  expect(code).toBe(0);
  expect(out).toMatch(/^Usage: \.\/scripts\/start/);
});

test('The addresses of the pages are printed before the first video is made', async () => {
  const child = start('--workers', '1');
  if (!child.stderr) throw new Error('The program has no output.');
  const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
  const words: string[] = [];
  while (words.length < 3) {
    const { value } = (await lines.next()) as IteratorResult<string, string>;
    if (!value.startsWith('{')) words.push(value);
  }
  expect(words).toEqual([
    expect.stringMatching(/^All videos: http:\/\/127\.0\.0\.1:\d+\/$/),
    expect.stringMatching(/^Upload and look after them: http:\/\/127\.0\.0\.1:\d+\/studio\/$/),
    'Making a first video, half a minute long. This takes a moment …',
  ]);
  const { origin } = new URL(words[0]?.split(' ').at(-1) ?? '');
  expect((await fetch(`${origin}/studio/`)).status).toBe(200);
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([0, null]);
});

test('Without --once, the pages and assets are served until Ctrl-C, which ends the workers and the edge', async () => {
  const child = start('--workers', '2', clip({ name: 'fine.mp4', seconds: 2 }));
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('The program has no output.');
  const said = text(stderr);
  const [line] = (await once(stdout, 'data')) as [Buffer];
  const { page, playlist } = parse(line.toString());
  expect((await fetch(String(page))).status).toBe(200);
  const origin = new URL(String(page)).origin;
  expect((await fetch(String(playlist), { headers: { origin } })).status).toBe(200);
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).toBe(0);
  await expect(fetch(String(page))).rejects.toThrow();
  const stopped = (await said).match(/"event":"worker.stopped"/g);
  expect(stopped).toHaveLength(2);
});
