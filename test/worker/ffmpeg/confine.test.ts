import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../../core/log.ts';
import { RejectedError } from '../../../core/model/errors.ts';
import { probeSource } from '../../../worker/ffmpeg/probe.ts';
import { runFfmpeg } from '../../../worker/ffmpeg/run.ts';
import type { EncoderRun } from '../../../worker/ffmpeg/run.ts';

const MIB = 2 ** 20;
const never = new AbortController().signal;
const limits = { addressBytes: 2048 * MIB, cpuSeconds: 600, fileBytes: 64 * MIB };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vodstack-confine-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** Arguments for an endless video of that size. */
const pictures = (size: string, ...output: readonly string[]) => [
  ...['-nostdin', '-loglevel', 'level+warning', '-progress', 'pipe:1', '-nostats'],
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25`, ...output],
];
const NOWHERE = ['-f', 'null', 'pipe:2'];

function run(argv: readonly string[], more: Partial<EncoderRun> = {}): Promise<unknown> {
  const common = { ffmpeg: 'ffmpeg', stallSeconds: 60, signal: never, log: createLog('silent') };
  return runFfmpeg({ argv, limits, ...common, ...more });
}

function program(name: string, script: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const probe = (address: string, ffprobe = 'ffprobe') =>
  probeSource({
    address,
    ffmpeg: 'ffmpeg',
    ffprobe,
    picture: 'optional' as const,
    signal: never,
    sizeBytes: statSync(address).size,
    limits: { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 },
  });

/** Runs a command in place of ffmpeg and ffprobe, and returns what it printed, from the errors that this gives. */
async function seenBy(command: string): Promise<Readonly<Record<'ffmpeg' | 'ffprobe', string>>> {
  const looking = program('looking', `${command} | tr '\\000\\n' '||' >&2\nexit 9`);
  const words = (error: unknown) =>
    String(error instanceof RejectedError ? error.cause : error).replace(/^.*code 9: /, '');
  return {
    ffmpeg: words(await run(pictures('64x64', ...NOWHERE), { ffmpeg: looking }).catch(same)),
    ffprobe: words(await probe(looking, looking).catch(same)),
  };
}

const same = (error: unknown) => error;

// /proc shows the environment and limits of a process; only Linux has it.
describe.skipIf(!existsSync('/proc/self/limits'))('A media process', () => {
  test('A media process inherits only the paths of programs from our environment', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'a secret');
    vi.stubEnv('LD_LIBRARY_PATH', undefined);
    try {
      for (const environment of Object.values(await seenBy('cat /proc/$$/environ'))) {
        const names = environment.split('|').map((line) => line.replace(/=.*/, ''));
        expect(names).toContain('PATH');
        // The shell adds PWD.
        const allowed = /^(PATH|MALLOC_ARENA_MAX|PWD|)$/;
        expect(names.filter((name) => !allowed.test(name))).toEqual([]);
      }
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('A media process has limits, and leaves no core dump', async () => {
    const names = 'core file|cpu time|address space|open files|file size';
    const { ffmpeg, ffprobe } = await seenBy(`grep -E '${names}' /proc/$$/limits`);
    const read = (lines: string) =>
      lines
        .split('|')
        .filter(Boolean)
        .map((line) => line.replace(/^Max /, '').trim().split(/ {2,}/).slice(0, 3).join(' '));
    expect(read(ffmpeg)).toEqual([
      'cpu time 600 605',
      `file size ${64 * MIB} ${64 * MIB}`,
      'core file size 0 0',
      'open files 64 64',
      `address space ${2048 * MIB} ${2048 * MIB}`,
    ]);
    const bytes = 768 * MIB + 1024;
    expect(read(ffprobe)).toEqual([
      'cpu time 30 35',
      'file size 0 0',
      'core file size 0 0',
      'open files 64 64',
      `address space ${bytes} ${bytes}`,
    ]);
  });

  test.each([
    ['memory', pictures('3840x2160', '-c:v', 'libx264', ...NOWHERE), { addressBytes: 400 * MIB }],
    ['CPU time', pictures('640x360', ...NOWHERE), { cpuSeconds: 1 }],
    ['file size', pictures('640x360', '-c:v', 'rawvideo', '-f', 'nut'), { fileBytes: MIB }],
  ])(
    'A media process that reaches its limit of %s has its source rejected',
    async (_, argv, limit) => {
      const output = argv.includes('nut') ? [`file:${join(directory, 'large.nut')}`] : [];
      const running = run([...argv, ...output], { limits: { ...limits, ...limit } });
      await expect(running).rejects.toMatchObject({ name: 'RejectedError', code: 'too_demanding' });
    },
  );

  test('A media process that something else ends before its time limit is a transient failure', async () => {
    const ended = program('ended', 'kill -TERM $$ & exec ffmpeg "$@"');
    const running = run(pictures('640x360', ...NOWHERE), { ffmpeg: ended });
    await expect(running).rejects.toMatchObject({ name: 'TransientError' });
  });
});

test('A small file that claims forty million samples is rejected before its index fills the memory', async () => {
  const source = join(directory, 'claims.mp4');
  writeFileSync(source, claimingSamples(40_000_000));
  await expect(probe(source)).rejects.toMatchObject({ code: 'damaged_source' });
});

test('No query of formats or encoders precedes a run, and a run ends when it is aborted', async () => {
  const asked = join(directory, 'asked');
  const hanging = program(
    'hanging',
    `case "$*" in *-formats*|*-encoders*) echo "$*" >> '${asked}'; exec sleep 600;; esac\nexec ffmpeg "$@"`,
  );
  const stop = new AbortController();
  const running = run(pictures('64x64', ...NOWHERE), { ffmpeg: hanging, signal: stop.signal });
  stop.abort(new Error('The worker is stopping.'));
  await expect(running).rejects.toThrow('The worker is stopping.');
  await run(pictures('64x64', '-t', '1', ...NOWHERE), { ffmpeg: hanging });
  expect(existsSync(asked)).toBe(false);
});

/** An MP4 file without pictures whose header claims that many samples. */
function claimingSamples(samples: number): Buffer {
  const u32 = (...numbers: readonly number[]) => {
    const bytes = Buffer.alloc(numbers.length * 4);
    numbers.forEach((number, index) => bytes.writeUInt32BE(number, index * 4));
    return bytes;
  };
  const box = (type: string, ...content: readonly Buffer[]): Buffer => {
    const body = Buffer.concat([Buffer.from(type), ...content]);
    return Buffer.concat([u32(body.length + 4), body]);
  };
  const zeros = (bytes: number) => Buffer.alloc(bytes);
  const entry = box(
    'mjpg',
    ...[zeros(6), Buffer.from([0, 1]), zeros(16), Buffer.from([1, 0x40, 0, 0xb4]), zeros(50)],
  );
  const samplesTable = box(
    'stbl',
    box('stsd', u32(0, 1), entry),
    box('stts', u32(0, 1, samples, 1)),
    box('stsc', u32(0, 1, 1, samples, 1)),
    box('stsz', u32(0, 1, samples)),
    box('stco', u32(0, 1, 32)),
  );
  const media = box(
    'mdia',
    box('mdhd', u32(0, 0, 0, 1000, 1000, 0)),
    box('hdlr', u32(0, 0), Buffer.from('vide'), zeros(13)),
    box('minf', box('vmhd', u32(1, 0, 0)), samplesTable),
  );
  const movie = box(
    'moov',
    box('mvhd', u32(0, 0, 0, 1000, 1000), zeros(80)),
    box('trak', box('tkhd', u32(3, 0, 0, 1, 0, 1000), zeros(60)), media),
  );
  return Buffer.concat([box('ftyp', Buffer.from('isom'), u32(512)), box('mdat', zeros(64)), movie]);
}
