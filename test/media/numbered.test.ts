import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PATCHES, beepTimes, beeps, flashTimes, numberedPicture, readFrames } from './numbered.ts';

const run = promisify(execFile);

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'numbered test '));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test('Every number, colour, flash and beep of a numbered clip is read back', async () => {
  const file = join(folder, 'numbered.mp4');
  const seconds = 3;
  await run('ffmpeg', [
    ...['-nostdin', '-v', 'error'],
    ...['-f', 'lavfi', '-i', numberedPicture({ rate: '25', seconds })],
    ...['-f', 'lavfi', '-i', beeps(seconds)],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', file],
  ]);

  const frames = await readFrames(file);

  expect(frames.map(({ number }) => number)).toEqual(Array.from({ length: 75 }, (_, n) => n));
  expect(frames.map(({ seconds: at }) => Math.round(at * 25))).toEqual(
    Array.from({ length: 75 }, (_, n) => n),
  );
  expect(flashTimes(frames)).toEqual([0, 1, 2]);
  for (const [place, color] of PATCHES.entries()) {
    for (const [channel, level] of color.entries()) {
      expect(Math.abs((frames[40]?.patches[place]?.[channel] ?? -99) - level)).toBeLessThan(12);
    }
  }
  const found = await beepTimes(file);
  expect(found.map((at) => Math.round(at * 100) / 100)).toEqual([0, 1, 2]);
});

test('Pictures without a number have an undefined number', async () => {
  const file = join(folder, 'plain.mp4');
  await run('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=10:d=1', file],
  ]);

  expect((await readFrames(file)).map(({ number }) => number)).toEqual(
    Array.from({ length: 10 }, () => undefined),
  );
});
