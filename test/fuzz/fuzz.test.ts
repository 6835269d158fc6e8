import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeFuzz, fuzz, makeBait } from './fuzz.ts';
import { escapesOf, touchesOf, traced, whyUntraceable } from './trace.ts';

const reason = whyUntraceable();

describe.skipIf(reason)(`Corrupted files${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(await realpath(tmpdir()), 'vodstack-fuzz-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  test('A hundred corrupted files become assets or are rejected, and no process touches anything else', async () => {
    const result = await fuzz({ seed: 10, first: 0, count: 100 }, directory);
    console.log(describeFuzz(result));
    expect(result.faults).toEqual([]);
    // A corrupted file must be rejected, so that the uploader can replace it. It must not need an administrator.
    expect(result.ends).not.toHaveProperty('failed');
    expect(Object.values(result.ends).reduce((sum, count) => sum + count, 0)).toBe(100);
  });

  test('The tracer reports each file that is opened, written or removed outside, and each connection', async () => {
    const outside = join(directory, 'control');
    const folder = join(outside, 'batch');
    await mkdir(join(folder, '1'), { recursive: true });
    await mkdir(join(folder, '2'));
    const [list = ''] = await makeBait(outside);
    const script = [
      // An ffprobe without restrictions opens the files that a list names.
      `ffprobe -v quiet -safe 0 -protocol_whitelist file,http,tcp -f concat -show_packets ${list}`,
      `ffmpeg -v quiet -i ${outside}/canary.ts -c copy ${folder}/1/a.ts -c copy ${folder}/2/a.ts -c copy ${outside}/b.ts`,
      `echo > ${outside}/c; rm ${outside}/c; echo > ${folder}/1/fine`,
    ].join('\n');
    const trace = join(outside, 'trace');
    const [program, ...argv] = traced(trace, ['sh', '-c', script]);
    spawnSync(program, argv, { stdio: 'ignore' });
    const escapes = [...escapesOf(touchesOf(await readFile(trace, 'utf8')), folder)];
    const connections = escapes.filter((escape) => /network: connect\(/.test(escape));
    expect(connections.join()).toContain('sin_port=htons(9), sin_addr=inet_addr("127.0.0.1")');
    const files = escapes.filter((escape) => escape.includes(directory));
    expect(new Set(files)).toEqual(
      new Set([
        `ffprobe, read: ${list}`,
        `ffprobe, read: ${outside}/canary.ts`,
        `ffmpeg, read: ${outside}/canary.ts`,
        `ffmpeg, of another file: ${folder}/2/a.ts`,
        `ffmpeg, write: ${outside}/b.ts`,
        `the worker, write: ${outside}/c`,
      ]),
    );
  });
});
