import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createLog } from '../../../core/log.ts';
import { RejectedError, TransientError } from '../../../core/model/errors.ts';
import { LADDER } from '../../../core/model/ladder.ts';
import { findSeek, probeSource } from '../../../worker/ffmpeg/probe.ts';
import { runFfmpeg } from '../../../worker/ffmpeg/run.ts';
import type { EncoderRun } from '../../../worker/ffmpeg/run.ts';
import { audioCommand, videoCommand } from '../../../worker/plan/encode.ts';
import { chunksOf, frameSeconds, segmentsOf } from '../../../worker/plan/grid.ts';
import type { Chunk } from '../../../worker/plan/grid.ts';
import { planAsset } from '../../../worker/plan/plan-asset.ts';
import type { Plan } from '../../../worker/plan/plan.ts';
import { makeFolders, takeSegments } from '../../../worker/segments.ts';
import { beeps, beepTimes } from '../../media/numbered.ts';
import { toneLevels } from '../../media/tones.ts';

const run = promisify(execFile);
const never = new AbortController().signal;
const LIMITS = { maxDurationSeconds: 3600, maxSizeBytes: 2 ** 30, maxPicturePixels: 1e7 };
/** The timestamp offset of all segments, and the duration of an AAC frame, in ticks of 90 kHz. */
const OFFSET = 900_000;
const AAC_FRAME = 1920;

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'encode test #1 '));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function encoderRun(argv: readonly string[], options: Partial<EncoderRun> = {}): EncoderRun {
  const common = { ffmpeg: 'ffmpeg', stallSeconds: 60, log: createLog('silent'), signal: never };
  const limits = { addressBytes: 2 ** 32, cpuSeconds: 600, fileBytes: 2 ** 30 };
  return { argv, limits, ...common, ...options };
}

/** Makes a source with ffmpeg; returns its path. */
async function makeSource(name: string, ...argv: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...argv, path]);
  return path;
}

const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=s=128x72:r=25:d=8'];
const ENCODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '40', '-c:a', 'aac'];

/** Codecs that the container of a file name supports. */
function codecsOf(name: string): readonly string[] {
  return name.endsWith('.mpg') ? ['-c:v', 'mpeg2video', '-c:a', 'mp2', '-f', 'mpeg'] : ENCODED;
}

/** Makes a script that replaces ffmpeg. */
async function makeProgram(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

/** The plan of a source with two small renditions and segments of about half a second. */
async function planSource(address: string): Promise<Plan> {
  const { size: sizeBytes } = await stat(address);
  const request = {
    address,
    sizeBytes,
    limits: LIMITS,
    ffmpeg: 'ffmpeg',
    ffprobe: 'ffprobe',
    signal: never,
  };
  const plan = planAsset({
    jobId: 'job',
    assetId: 'asset',
    title: 'A title',
    ladder: LADDER,
    source: { bucket: 'sources', key: 'key', etag: 'etag', sizeBytes },
    media: await probeSource({ ...request, picture: 'optional' as const }),
    encoder: { preset: 'ultrafast', crf: 30 },
  });
  const gopFrames = Math.round(plan.grid.rate.num / plan.grid.rate.den / 2);
  const limit = { maxBitRate: 400_000, bufferBits: 400_000 };
  return {
    ...plan,
    grid: { ...plan.grid, gopFrames, segmentFrames: gopFrames },
    renditions: [
      { name: '72p', width: 128, height: 72, ...limit },
      { name: '36p', width: 64, height: 36, ...limit },
    ],
  };
}

async function chunkCommand(plan: Plan, chunk: Chunk, address: string, directory: string) {
  const seeking = { address, ffprobe: 'ffprobe', signal: never };
  const seekSeconds = await findSeek(seeking, plan, chunk.firstFrame);
  const unit = { kind: 'video', name: 'video', ...chunk } as const;
  return videoCommand(plan, unit, { address, seekSeconds, directory });
}

async function collect(directory: string, rendition: string, first: number): Promise<Buffer[]> {
  const segments: Buffer[] = [];
  for await (const { bytes } of takeSegments(directory, rendition, first, true)) {
    segments.push(bytes);
  }
  return segments;
}

/** Encodes a source chunk by chunk; returns all segments of each rendition. */
async function encodeChunks(plan: Plan, address: string): Promise<ReadonlyMap<string, Buffer[]>> {
  const made = new Map(plan.renditions.map(({ name }) => [name, [] as Buffer[]]));
  for (const chunk of chunksOf(plan.grid)) {
    const directory = await mkdtemp(join(folder, 'chunk-'));
    await makeFolders(directory, [...made.keys()]);
    await runFfmpeg(encoderRun(await chunkCommand(plan, chunk, address, directory)));
    for (const [name, segments] of made) {
      segments.push(...(await collect(directory, name, chunk.firstSegment)));
    }
  }
  return made;
}

interface Packet {
  /** Ticks of 90 kHz. */
  readonly pts: number;
  readonly key: boolean;
}

/** The packets of each segment, in presentation order. */
async function packetsOf(segments: readonly Buffer[]): Promise<readonly (readonly Packet[])[]> {
  const path = join(await mkdtemp(join(folder, 'joined-')), 'joined.ts');
  await writeFile(path, Buffer.concat(segments));
  const entries = ['-show_entries', 'packet=pts,flags,pos', '-of', 'json'];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...entries, path], {
    maxBuffer: 2 ** 26,
  });
  const { packets } = JSON.parse(stdout) as {
    packets: readonly { pts: number; flags: string; pos: string }[];
  };
  let end = 0;
  return segments.map((bytes) => {
    const start = end;
    end += bytes.length;
    const own = packets.filter(({ pos }) => Number(pos) >= start && Number(pos) < end);
    expect(own[0]?.flags).toMatch(/^K/);
    return own
      .map(({ pts, flags }) => ({ pts, key: flags.startsWith('K') }))
      .sort((a, b) => a.pts - b.pts);
  });
}

const SOURCES: Readonly<Record<string, () => Promise<string>>> = {
  'of constant frame rate': () => makeSource('constant.mp4', ...PICTURE, ...ENCODED),
  'of variable frame rate': () =>
    makeSource(
      'variable.mp4',
      ...[...PICTURE, '-vf', "select='not(mod(n,3))+lt(mod(n,40),9)-between(n,60,140)'"],
      ...['-fps_mode', 'vfr', ...ENCODED],
    ),
  'whose clock does not start at zero': () =>
    makeSource('offset.ts', ...PICTURE, ...ENCODED, '-output_ts_offset', '7.77'),
  'whose picture ends long before its sound': () =>
    makeSource(
      'early.mp4',
      ...['-f', 'lavfi', '-i', 'testsrc2=s=128x72:r=25:d=1.2', '-f', 'lavfi', '-i', 'sine=d=8'],
      ...ENCODED,
    ),
  'whose picture begins after its sound': () =>
    makeSource(
      'late.mp4',
      ...['-itsoffset', '4.1', ...PICTURE, '-f', 'lavfi', '-i', 'sine=d=8'],
      ...['-map', '0', '-map', '1', ...ENCODED],
    ),
  'whose picture changes its size midway': async () => {
    const small = await makeSource('small.ts', ...PICTURE, ...ENCODED, '-t', '4');
    const large = ['-vf', 'scale=256:144', '-t', '4', '-output_ts_offset', '4'];
    const parts = [small, await makeSource('large.ts', ...PICTURE, ...ENCODED, ...large)];
    const path = join(folder, 'resized.ts');
    await writeFile(path, Buffer.concat(await Promise.all(parts.map((part) => readFile(part)))));
    return path;
  },
  'of fields that change their size midway': async () => {
    const fields = ['-vf', 'tinterlace=interleave_top,setfield=tff', '-flags', '+ilme+ildct'];
    const half = async (name: string, size: string, start: number) =>
      makeSource(
        name,
        ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=50:d=4`, '-f', 'lavfi', '-i', 'sine=d=4'],
        ...[...fields, '-c:v', 'mpeg2video', '-c:a', 'mp2', '-output_ts_offset', String(start)],
      );
    const parts = [await half('f1.ts', '352x288', 0), await half('f2.ts', '480x288', 4)];
    const path = join(folder, 'fields.ts');
    await writeFile(path, Buffer.concat(await Promise.all(parts.map((part) => readFile(part)))));
    return path;
  },
};

describe.each(Object.entries(SOURCES))('A source %s', (_, make) => {
  test('Segments have exactly the planned frames in all renditions', async () => {
    const address = await make();
    const plan = await planSource(address);
    const { grid } = plan;
    expect(chunksOf(grid).length).toBeGreaterThan(1);
    const made = await encodeChunks(plan, address);
    const expected = segmentsOf(grid).map(({ firstFrame, frames }) =>
      Array.from({ length: frames }, (_, index) => ({
        pts: OFFSET + Math.round(frameSeconds(grid, firstFrame + index) * 90_000),
        key: index % grid.gopFrames === 0,
      })),
    );
    for (const segments of made.values()) expect(await packetsOf(segments)).toEqual(expected);
  });

  test('Encoding in chunks shows the same pictures as one run', async () => {
    const address = await make();
    const both = await planSource(address);
    const plan = { ...both, renditions: both.renditions.slice(0, 1) };
    const whole = await pictures(plan, wholeOf(plan), address);
    expect(new Set(whole).size).toBeGreaterThan(20);
    const parts = [];
    for (const chunk of chunksOf(plan.grid)) parts.push(...(await pictures(plan, chunk, address)));
    expect(parts).toEqual(whole);
  });
});

/** A checksum of each picture that goes to the encoder of the only rendition. */
async function pictures(plan: Plan, chunk: Chunk, address: string): Promise<readonly string[]> {
  const argv = await chunkCommand(plan, chunk, address, '/nowhere');
  const graph = argv.slice(0, argv.indexOf('-map')).filter((token) => !isProgress(token));
  const output = ['-map', '[v0]', '-fps_mode', 'passthrough', '-f', 'framemd5', 'pipe:1'];
  const reference = ['source', 'grid', 'shown', 'keys'].flatMap((name) => ['-map', `[${name}]`]);
  const unread = [...reference, '-fps_mode', 'passthrough', '-f', 'null', '/dev/null'];
  const { stdout } = await run('ffmpeg', [...graph, ...output, ...unread]);
  const lines = stdout.split('\n').filter((line) => line && !line.startsWith('#'));
  return lines.map((line) => line.slice(line.lastIndexOf(',')));
}

function wholeOf({ grid }: Plan): Chunk {
  return { firstFrame: 0, frames: grid.frames, firstSegment: 0, segments: segmentsOf(grid).length };
}

describe('A picture', () => {
  test.each(
    ['late.ts', 'late.mpg', 'late.mov', 'late.mkv', 'late.flv'].flatMap((name) =>
      [2.4, 20].map((seconds) => [name, seconds] as const),
    ),
  )(
    'A picture in %s that begins after %d s moves from then on, in sync with the sound',
    async (name, late) => {
      const picture = [
        '-itsoffset',
        String(late),
        '-f',
        'lavfi',
        '-i',
        'testsrc2=s=128x72:r=25:d=2',
      ];
      const sound = ['-f', 'lavfi', '-i', `sine=f=500:r=44100:d=${late + 2}`];
      const argv = [...picture, ...sound, '-map', '0', '-map', '1', ...codecsOf(name)];
      const address = await makeSource(name, ...argv, '-fps_mode', 'passthrough');
      const both = await planSource(address);
      const plan = { ...both, renditions: both.renditions.slice(0, 1) };
      const shown = await pictures(plan, wholeOf(plan), address);
      expect(shown.length / 25).toBeCloseTo(late + 2, 0);
      const moved = shown.findIndex((picture) => picture !== shown[0]);
      // The first picture is repeated until its time has passed.
      expect(Math.abs(moved - 1 - late * 25)).toBeLessThanOrEqual(1);
      expect(new Set(shown).size).toBe(50);
    },
  );
});

function isProgress(token: string): boolean {
  return token === '-progress' || token === 'pipe:1';
}

describe('A chunk', () => {
  test.each([
    ['a source', 0],
    ['a damaged source', 60],
  ])('A chunk of %s has the same bytes each time it is encoded', async (name, wounds) => {
    const address = await makeSource(
      `noise of ${name}.mp4`,
      ...['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=3,noise=alls=40:allf=t:all_seed=3'],
      ...[...ENCODED, '-preset', 'veryfast'],
    );
    const plan = await planSource(address);
    const bytes = await readFile(address);
    const media = bytes.indexOf('mdat') + 20_000;
    const step = Math.floor((bytes.lastIndexOf('moov') - media) / (wounds + 1));
    for (let wound = 0; wound < wounds; wound += 1)
      bytes.fill(wound, media + wound * step, media + wound * step + 24);
    await writeFile(address, bytes);
    const sums = [];
    for (let time = 0; time < 3; time += 1) {
      const segments = [...(await encodeChunks(plan, address)).values()].flat();
      sums.push(segments.map((segment) => createHash('sha256').update(segment).digest('hex')));
    }
    expect(sums[1]).toEqual(sums[0]);
    expect(sums[2]).toEqual(sums[0]);
  });

  test('A chunk is rejected if the source has nothing to decode in it', async () => {
    const address = await makeSource('blank.mp4', ...PICTURE, ...ENCODED);
    const plan = await planSource(address);
    const bytes = await readFile(address);
    await writeFile(
      address,
      bytes.fill(0, bytes.indexOf('mdat') + 4, bytes.lastIndexOf('moov') - 4),
    );
    const [, chunk] = chunksOf(plan.grid);
    if (!chunk) throw new Error('The plan has one chunk only.');
    const directory = await mkdtemp(join(folder, 'chunk-'));
    await makeFolders(directory, ['72p', '36p']);
    const argv = await chunkCommand(plan, chunk, address, directory);
    await expect(runFfmpeg(encoderRun(argv))).rejects.toMatchObject({ code: 'damaged_source' });
  });
});

/** The times of the first and last sample louder than a fiftieth of full scale, from the first packet on. */
async function soundOf(segments: readonly Buffer[]) {
  const path = join(await mkdtemp(join(folder, 'sound-')), 'sound.ts');
  await writeFile(path, Buffer.concat(segments));
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-f', 's16le', '-ac', '1', 'pipe:1'],
    { encoding: 'buffer', maxBuffer: 2 ** 28 },
  );
  const loud: number[] = [];
  for (let index = 0; index < stdout.length / 2; index += 1) {
    if (Math.abs(stdout.readInt16LE(index * 2)) > 650) loud.push(index / 48_000);
  }
  return { firstSeconds: loud[0] ?? NaN, lastSeconds: loud.at(-1) ?? NaN };
}

async function encodeTrack(address: string) {
  const plan = await planSource(address);
  const [track] = plan.audio;
  if (!track) throw new Error('The plan has no sound.');
  const directory = await mkdtemp(join(folder, 'audio-'));
  await makeFolders(directory, [track.name]);
  await runFfmpeg(encoderRun(audioCommand(plan, track, { address, directory })));
  return { plan, segments: await collect(directory, track.name, 0) };
}

async function channelsOf(segments: readonly Buffer[]): Promise<number> {
  const path = join(folder, 'channels.ts');
  await writeFile(path, Buffer.concat(segments));
  const entries = ['-show_entries', 'stream=channels', '-of', 'json'];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...entries, path]);
  return (JSON.parse(stdout) as { streams: { channels: number }[] }).streams[0]?.channels ?? 0;
}

describe('A sound track', () => {
  test('A sound track that begins late and ends early has silence around it, and is in sync with the picture', async () => {
    const address = await makeSource(
      'beep.mkv',
      ...[...PICTURE, '-itsoffset', '2.5', '-f', 'lavfi', '-i', 'sine=f=500:r=44100:d=3'],
      ...['-map', '0', '-map', '1', ...ENCODED],
    );
    const { plan, segments } = await encodeTrack(address);
    const packets = await packetsOf(segments);
    const all = packets.flat().map(({ pts }) => pts);
    // The encoder's run-in is one frame before time zero, and nothing is missing from there to the end.
    expect(all[0]).toBe(OFFSET - AAC_FRAME);
    expect(all).toEqual(all.map((_, index) => OFFSET + (index - 1) * AAC_FRAME));
    const end = OFFSET + frameSeconds(plan.grid, plan.grid.frames) * 90_000;
    expect(Math.abs((all.at(-1) ?? 0) + AAC_FRAME - end)).toBeLessThanOrEqual(AAC_FRAME);
    expect(packets).toHaveLength(segmentsOf(plan.grid).length);
    segmentsOf(plan.grid).forEach(({ firstFrame }, index) => {
      const border = OFFSET + frameSeconds(plan.grid, firstFrame) * 90_000;
      const first = packets[index]?.[0]?.pts ?? NaN;
      expect(Math.abs(first - border)).toBeLessThanOrEqual(AAC_FRAME);
    });
    const { firstSeconds, lastSeconds } = await soundOf(segments);
    const runIn = 1024 / 48_000;
    expect(firstSeconds - runIn).toBeCloseTo(2.5, 1);
    expect(lastSeconds - runIn).toBeCloseTo(5.5, 1);
  });

  test.each(
    // AVI and Ogg, as ffmpeg writes them, cannot express sound that begins late.
    ['late.ts', 'late.mpg', 'late.flv', 'late.mov', 'late.mkv'].flatMap((name) =>
      [2.5, 20].map((seconds) => [name, seconds] as const),
    ),
  )(
    'A sound track in %s that begins after %d s is heard then, in sync with the picture',
    async (name, late) => {
      const picture = ['-f', 'lavfi', '-i', `testsrc2=s=128x72:r=25:d=${late + 2}`];
      const sound = ['-itsoffset', String(late), '-f', 'lavfi', '-i', 'sine=f=500:r=44100:d=1'];
      const argv = [...picture, ...sound, '-map', '0', '-map', '1', ...codecsOf(name)];
      const address = await makeSource(name, ...argv);
      const { plan, segments } = await encodeTrack(address);
      const { firstSeconds, lastSeconds } = await soundOf(segments);
      expect(plan.durationSeconds).toBeCloseTo(late + 2, 0);
      expect(firstSeconds - AAC_FRAME / 90_000).toBeCloseTo(late, 1);
      expect(lastSeconds - AAC_FRAME / 90_000).toBeCloseTo(late + 1, 1);
    },
  );

  test('A sound track of 5.1 channels keeps the dialogue of its centre channel', async () => {
    const centre = "aevalsrc='0|0|0.3*sin(2*PI*500*t)|0|0|0':c=5.1:d=3";
    const address = await makeSource(
      'centre.mkv',
      ...['-f', 'lavfi', '-i', 'testsrc2=s=128x72:r=25:d=3', '-f', 'lavfi', '-i', centre],
      ...[...ENCODED, '-c:a', 'flac'],
    );
    const { segments } = await encodeTrack(address);
    expect(await channelsOf(segments)).toBe(2);
    const { firstSeconds, lastSeconds } = await soundOf(segments);
    expect(firstSeconds).toBeLessThan(0.1);
    expect(lastSeconds).toBeGreaterThan(2.9);
  });

  test('A mono sound track stays mono', async () => {
    const address = await makeSource(
      'mono.mp4',
      ...PICTURE,
      '-f',
      'lavfi',
      '-i',
      'sine=d=8',
      ...ENCODED,
    );
    const { segments } = await encodeTrack(address);
    expect(await channelsOf(segments)).toBe(1);
  });

  /** A source with a different tone in each channel: 300, 500, 700 … Hz. */
  const toned = (name: string, channels: number, layout: string, split: readonly string[] = []) => {
    const tones = Array.from({ length: channels }, (_, at) => `0.2*sin(2*PI*${toneOf(at)}*t)`);
    return makeSource(
      name,
      ...['-f', 'lavfi', '-i', 'testsrc2=s=720x576:r=25:d=2', '-f', 'lavfi'],
      ...['-i', `aevalsrc='${tones.join('|')}'${layout && `:c=${layout}`}:s=48000:d=2`],
      ...(split.length > 0 ? split : ['-map', '0', '-map', '1']),
      ...['-c:v', 'mpeg2video', '-q:v', '20', '-c:a', 'pcm_s16le'],
    );
  };
  const toneOf = (channel: number) => 300 + 200 * channel;

  /** The level of each channel's tone on the left and on the right, after encoding. */
  const levels = async (address: string, channels: number) => {
    const { plan, segments } = await encodeTrack(address);
    const path = join(await mkdtemp(join(folder, 'tones-')), 'sound.ts');
    await writeFile(path, Buffer.concat(segments));
    const tones = Array.from({ length: channels }, (_, at) => toneOf(at));
    const { left, right } = await toneLevels(path, tones);
    return { tracks: plan.audio.length, left, right };
  };
  /** The encoder changes levels by less than a hundredth. */
  const about = (level = NaN): unknown => expect.closeTo(level, 1.7);

  const splitInto = (layout: string, channels: number) => {
    const names = Array.from({ length: channels }, (_, at) => `[c${at}]`);
    return [
      ...['-filter_complex', `[1:a]channelsplit=channel_layout=${layout}${names.join('')}`],
      ...['-map', '0:v', ...names.flatMap((name) => ['-map', name])],
    ];
  };

  test.each(['two-mono.mov', 'two-mono.mxf', 'two-mono.mkv', 'two-mono.avi'])(
    'Two mono streams in %s become one stereo track',
    async (name) => {
      const address = await toned(name, 2, 'stereo', splitInto('stereo', 2));
      expect(await levels(address, 2)).toEqual({
        tracks: 1,
        left: [about(0.2), about(0)],
        right: [about(0), about(0.2)],
      });
    },
  );

  test.each(['six-mono.mov', 'six-mono.mxf'])(
    'Six mono streams in %s are mixed down from 5.1',
    async (name) => {
      const address = await toned(name, 6, '5.1', splitInto('5.1', 6));
      expect(await levels(address, 6)).toEqual({
        tracks: 1,
        left: [0.14, 0, 0.1, 0, 0.1, 0].map((level) => about(level)),
        right: [0, 0.14, 0.1, 0, 0, 0.1].map((level) => about(level)),
      });
    },
  );

  test('Mono streams for left and right that begin at different times both stay in sync with the picture', async () => {
    const address = await makeSource(
      'apart.mov',
      ...['-f', 'lavfi', '-i', 'testsrc2=s=128x72:r=25:d=6', '-f', 'lavfi', '-i', beeps(6)],
      ...['-itsoffset', '0.4', '-f', 'lavfi', '-i', beeps(5.2), '-map', '0', '-map', '1'],
      ...['-map', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'pcm_s16le'],
    );
    const { plan, segments } = await encodeTrack(address);
    expect(plan.audio).toHaveLength(1);
    const path = join(await mkdtemp(join(folder, 'apart-')), 'sound.ts');
    await writeFile(path, Buffer.concat(segments));
    const [left, right] = await Promise.all([0, 1].map((channel) => beepTimes(path, { channel })));
    const near = (times: readonly number[] = [], wanted: number) =>
      times.some((time) => Math.abs(time - OFFSET / 90_000 - wanted) < 0.02);
    for (const second of [0, 1, 2, 3, 4, 5]) expect(near(left, second)).toBe(true);
    for (const second of [0, 1, 2, 3, 4]) expect(near(right, second + 0.4)).toBe(true);
  });

  test.each([
    ['FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR+TBL+TBR', 12],
    ['FL+FR+FC+LFE+BL+BR+TFL+TFR', 8],
  ])(
    'A sound track of %s is mixed down from all of its %d channels except the LFE',
    async (layout, channels) => {
      const address = await toned(`${channels}.mov`, channels, layout);
      const { left, right } = await levels(address, channels);
      const loudest = left.map((level, at) => Math.max(level, right[at] ?? 0));
      expect(loudest.map((level) => level > 0.03)).toEqual(loudest.map((_, at) => at !== 3));
      expect([right[0], left[1], left[3], right[3]]).toEqual([
        about(0),
        about(0),
        about(0),
        about(0),
      ]);
      expect([right[1], right[2]]).toEqual([about(left[0]), about(left[2])]);
    },
  );

  // ffmpeg 7 assigns a layout to twelve channels by itself.
  test('A sound track of eleven channels without a layout is mixed down from all of them', async () => {
    const { left, right } = await levels(await toned('eleven.mov', 11, ''), 11);
    const rest = Array.from({ length: 9 }, () => 0.06);
    expect({ left, right }).toEqual({
      left: [0.08, 0, ...rest].map((level) => about(level)),
      right: [0, 0.08, ...rest].map((level) => about(level)),
    });
  });

  test('A sound track that changes its channels midway is rejected, as its timestamps would start over', async () => {
    const sound = ['-f', 'lavfi', '-i', 'sine=d=4'];
    const mono = await makeSource('mono.ts', ...PICTURE, ...sound, ...ENCODED, '-t', '4');
    const stereo = ['-ac', '2', '-t', '4', '-output_ts_offset', '4'];
    const parts = [mono, await makeSource('two.ts', ...PICTURE, ...sound, ...ENCODED, ...stereo)];
    const address = join(folder, 'changing.ts');
    await writeFile(address, Buffer.concat(await Promise.all(parts.map((part) => readFile(part)))));
    await expect(encodeTrack(address)).rejects.toMatchObject({ code: 'unsupported_source' });
  });
});

describe('Finished segments', () => {
  test('Finished segments are taken in order while the next one is written, and are removed then', async () => {
    const directory = await mkdtemp(join(folder, 'segments-'));
    await makeFolders(directory, ['audio-0']);
    const write = (index: number) =>
      writeFile(join(directory, 'audio-0', `0000${index}.ts`), `bytes ${index}`);
    const take = async (first: number, all: boolean) => {
      const taken: string[] = [];
      for await (const { rendition, index, bytes } of takeSegments(
        directory,
        'audio-0',
        first,
        all,
      )) {
        taken.push(`${rendition} ${index} ${bytes.toString()}`);
      }
      return taken;
    };
    for (const index of [4, 5, 6]) await write(index);
    expect(await take(4, false)).toEqual(['audio-0 4 bytes 4', 'audio-0 5 bytes 5']);
    expect(await readdir(join(directory, 'audio-0'))).toEqual(['00006.ts']);
    expect(await take(6, false)).toEqual([]);
    expect(await take(6, true)).toEqual(['audio-0 6 bytes 6']);
    expect(await readdir(join(directory, 'audio-0'))).toEqual([]);
  });

  test('Finished segments stay on disk until the consumer is done with them', async () => {
    const directory = await mkdtemp(join(folder, 'segments-'));
    await makeFolders(directory, ['72p']);
    await writeFile(join(directory, '72p', '00000.ts'), 'bytes');
    const failing = async () => {
      for await (const { index } of takeSegments(directory, '72p', 0, true)) {
        throw new Error(`Segment ${index} could not be uploaded.`);
      }
    };
    await expect(failing()).rejects.toThrow('Segment 0 could not be uploaded.');
    expect(await readdir(join(directory, '72p'))).toEqual(['00000.ts']);
  });
});

/** An endless run in real time. */
const ENDLESS = [
  ...['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-progress', 'pipe:1', '-y', '-re'],
  ...['-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=25', '-f', 'null', 'pipe:2'],
];

async function processIsGone(pid: number): Promise<boolean> {
  try {
    const state = await readFile(`/proc/${pid}/stat`, 'utf8');
    return /\) Z /.test(state);
  } catch {
    return true;
  }
}

describe('A run of ffmpeg', () => {
  test('Every token reaches ffmpeg unchanged', async () => {
    const seen = join(folder, 'argv');
    const program = await makeProgram('prints', `printf '%s\\0' "$@" > '${seen}'`);
    const argv = [
      ...['-nostdin', '-y', '-metadata', 'comment=two words', '-i', 'file:/a b/#2 4 Prot?.mp4'],
      ...[
        '-filter_complex',
        "[0:0]drawtext=text='a b c'[v]",
        '',
        '강의',
        '"',
        '$HOME',
        '-f',
        'segment',
      ],
      'file:/c d/%05d.ts',
    ];
    await runFfmpeg(encoderRun(argv, { ffmpeg: program }));
    expect((await readFile(seen, 'utf8')).split('\0').slice(0, -1)).toEqual(argv);
  });

  test('A run reports its progress in frames and seconds', async () => {
    const seen: { frames: number; outSeconds: number }[] = [];
    const argv = ENDLESS.map((token) => (token.startsWith('testsrc2') ? `${token}:d=2` : token));
    await runFfmpeg(encoderRun(argv, { onProgress: (progress) => seen.push(progress) }));
    expect(seen.at(-1)).toEqual({ frames: 50, outSeconds: 2 });
    expect(seen.map(({ frames }) => frames)).toEqual(
      seen.map(({ frames }) => frames).sort((a, b) => a - b),
    );
  });

  test('An aborted run ends with the reason of its signal', async () => {
    const stop = new AbortController();
    const reason = new Error('The worker was told to stop.');
    const running = runFfmpeg(
      encoderRun(ENDLESS, { signal: stop.signal, onProgress: () => stop.abort(reason) }),
    );
    await expect(running).rejects.toBe(reason);
    await expect(runFfmpeg(encoderRun(ENDLESS, { signal: stop.signal }))).rejects.toBe(reason);
  });

  test('An aborted run that ignores SIGTERM is killed', async () => {
    const program = await makeProgram(
      'deaf',
      'trap "" TERM\necho frame=$$\nwhile :; do sleep 1; done',
    );
    const stop = new AbortController();
    const pids: number[] = [];
    const onProgress = ({ frames }: { frames: number }) => {
      pids.push(frames);
      stop.abort(new Error('stopped'));
    };
    const running = runFfmpeg(
      encoderRun(ENDLESS, { ffmpeg: program, signal: stop.signal, onProgress }),
    );
    await expect(running).rejects.toThrow('stopped');
    expect(pids).toHaveLength(1);
    expect(await processIsGone(pids[0] ?? 0)).toBe(true);
  });

  test('A run without progress is a transient failure', async () => {
    const program = await makeProgram('stalls', 'echo frame=1\nexec sleep 600');
    const running = runFfmpeg(encoderRun(ENDLESS, { ffmpeg: program, stallSeconds: 0.5 }));
    await expect(running).rejects.toEqual(
      new TransientError('ffmpeg made no progress for 0.5 s and was ended.'),
    );
  });

  test('A run that something else kills is a transient failure', async () => {
    const program = await makeProgram('killed', 'kill -KILL $$');
    await expect(runFfmpeg(encoderRun(ENDLESS, { ffmpeg: program }))).rejects.toThrow(
      /^ffmpeg was ended by SIGKILL/,
    );
  });

  test('A run whose source is gone is a rejection', async () => {
    const argv = [
      '-nostdin',
      '-loglevel',
      'level+warning',
      '-i',
      'file:/none.mp4',
      '-f',
      'null',
      'pipe:2',
    ];
    const running = runFfmpeg(encoderRun(argv));
    await expect(running).rejects.toBeInstanceOf(RejectedError);
    await expect(running).rejects.toMatchObject({ code: 'source_gone' });
  });

  test('The error of a missing ffmpeg tells what to install', async () => {
    const running = runFfmpeg(encoderRun(ENDLESS, { ffmpeg: join(folder, 'no-such-program') }));
    await expect(running).rejects.toThrow(/^ffmpeg is not installed/);
  });

  test('A run ends when the worker that started it is killed', async () => {
    const note = join(folder, 'pid');
    const program = await makeProgram('endless', `echo $$ > '${note}'\nexec ffmpeg "$@"`);
    const script = `
      import { runFfmpeg } from ${JSON.stringify(pathToFileURL('worker/ffmpeg/run.ts').href)};
      const log = { info() {} };
      await runFfmpeg({
        argv: ${JSON.stringify(ENDLESS)}, ffmpeg: ${JSON.stringify(program)}, log, stallSeconds: 60,
        limits: ${JSON.stringify(encoderRun([]).limits)},
        signal: new AbortController().signal, onProgress: () => process.stdout.write('running'),
      });`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => worker.stdout.once('data', resolve));
    const pid = Number(await readFile(note, 'utf8'));
    expect(await processIsGone(pid)).toBe(false);
    worker.kill('SIGKILL');
    await vi.waitFor(async () => expect(await processIsGone(pid)).toBe(true), { timeout: 10_000 });
  });
});
