import { execFile } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../core/environment.ts';
import { createLog } from '../../core/log.ts';
import { FaultyOutputError } from '../../core/model/errors.ts';
import {
  ASSET_PATH,
  deliveryHeaders,
  jobKeys,
  pointerKey,
  versionKey,
} from '../../core/model/keys.ts';
import { LADDER } from '../../core/model/ladder.ts';
import { serialiseUnit } from '../../core/model/message.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import type { Marker } from '../../core/model/units.ts';
import { openLocalBackend } from '../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT, layoutEnv } from '../../core/storage/local/layout.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { probeSource } from '../../worker/ffmpeg/probe.ts';
import { requireUnits } from '../../worker/gate.ts';
import { CONTAINER } from '../../worker/plan/formats.ts';
import type { DefectName } from '../../worker/plan/gate/defect.ts';
import {
  checkDocument,
  checkMediaPlaylist,
  checkMultivariantPlaylist,
} from '../../worker/plan/gate/publication.ts';
import { planAsset } from '../../worker/plan/plan-asset.ts';
import { planImages } from '../../worker/plan/plan-images.ts';
import { planVersion } from '../../worker/plan/plan.ts';
import type { Plan } from '../../worker/plan/plan.ts';
import { publishWhenDone } from '../../worker/publish.ts';
import { openServices } from '../../worker/services.ts';
import type { Services } from '../../worker/services.ts';
import { encodeUnit } from '../../worker/unit.ts';
import { moved, putTogether, takeApart, withTimesOf } from '../media/transport-packets.ts';
import type { Taken } from '../media/transport-packets.ts';

const run = promisify(execFile);
const context = { log: createLog('silent'), signal: new AbortController().signal };
const SECONDS = 6;
const FRAME = 3600;
const AAC_FRAME = 1920;
const [VIDEO, AUDIO, IMAGES] = ['video-00000', 'audio-0', 'images'];
const UNITS = [VIDEO, AUDIO, IMAGES];
const [POINTER, PLAYLIST] = ['index.m3u8', '108p/index.m3u8'];

let folder = '';
let ffmpeg = '';
let backend: Backend;
let services: Services;
let plan: Plan;
/** What ffmpeg made of the source, and of another one, in its scratch folder. */
let golden: Readonly<Record<string, string>>;
let foreign: Readonly<Record<string, string>>;
let programs = 0;

/** Each mutation with what caught it, for the table at the end. */
const caught: { readonly mutation: string; readonly by: string }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-'));
  ffmpeg = (await run('sh', ['-c', 'command -v ffmpeg'])).stdout.trim();
  backend = await openLocalBackend({ directory: join(folder, 'home'), layout: LOCAL_LAYOUT });
  services = serve(ffmpeg);
  plan = await planSource(
    'ours',
    'testsrc2=s=192x108:r=25',
    '0.4*sin(2*PI*700*t)*lt(mod(t,2),1.2)',
  );
  const other = await planSource(
    'foreign',
    'mandelbrot=s=192x108:r=25',
    '0.4*sin(2*PI*1500*t)*gt(mod(t,2),0.7)',
  );
  golden = await makeGolden(plan, 'ours');
  foreign = await makeGolden(other, 'foreign');
});

afterAll(async () => {
  const width = Math.max(...caught.map(({ mutation }) => mutation.length));
  const rows = caught.map(({ mutation, by }) => `| ${mutation.padEnd(width)} | ${by} |`);
  console.log(`${caught.length} mutations, and what caught each:\n${rows.join('\n')}`);
  await backend.close();
  await rm(folder, { recursive: true });
});

function serve(program: string): Services {
  const config = readConfig({ ...layoutEnv(join(folder, 'home')), FFMPEG: program });
  return openServices(config, backend, folder);
}

/** Three segments of two seconds each, in two sizes. */
async function planSource(name: string, picture: string, sound: string): Promise<Plan> {
  const path = join(folder, `${name}.mp4`);
  await run('ffmpeg', [
    ...['-v', 'error', '-y', '-f', 'lavfi', '-i', picture, '-f', 'lavfi'],
    ...['-i', `aevalsrc='${sound}|${sound}':s=48000`, '-t', String(SECONDS), '-g', '30'],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', path],
  ]);
  const bytes = await readFile(path);
  const bucket = BUCKETS.source;
  const { etag } = await backend.store.put(bucket, `${name}.mp4`, bytes);
  const source = { bucket, key: `${name}.mp4`, etag, sizeBytes: bytes.length };
  const media = await probeSource({
    ...{ address: path, sizeBytes: bytes.length, picture: 'optional' as const },
    ...{ ffmpeg: 'ffmpeg', ffprobe: 'ffprobe', signal: context.signal },
    limits: { maxDurationSeconds: 3600, maxSizeBytes: 2 ** 30, maxPicturePixels: 1e7 },
  });
  const made = planAsset({
    ...{ jobId: name.padEnd(20, '0'), assetId: name, source, title: name, media, ladder: LADDER },
    encoder: { preset: 'ultrafast', crf: 30 },
  });
  const limit = { maxBitRate: 400_000, bufferBits: 400_000 };
  return {
    ...made,
    grid: { ...made.grid, gopFrames: 25, segmentFrames: 50 },
    renditions: [
      { name: '108p', width: 192, height: 108, ...limit },
      { name: '54p', width: 96, height: 54, ...limit },
    ],
    images: planImages({ width: 704, height: 396 }, SECONDS),
    units: made.units.map((unit) => (unit.kind === 'video' ? { ...unit, segments: 3 } : unit)),
  };
}

/** Keeps what one good run of each unit leaves in its scratch folder. */
async function makeGolden(of: Plan, name: string) {
  const folders: Record<string, string> = {};
  for (const unit of UNITS) {
    const kept = join(folder, `${name} ${unit}`);
    const program = await makeProgram(`"${ffmpeg}" "$@" || exit\ncp -r "$attempt" '${kept}'`);
    await encodeUnit(serve(program), of, unit, context);
    folders[unit] = kept;
  }
  return folders;
}

/** A program in the place of ffmpeg, which knows the folder that it is to write into; decoders are the real one. */
async function makeProgram(script: string): Promise<string> {
  const path = join(folder, `program-${(programs += 1)}`);
  const lines = [
    '#!/bin/sh',
    `case "$*" in *pipe:0*) exec "${ffmpeg}" "$@";; esac`,
    'for last; do :; done',
    `attempt=$(printf %s "$last" | sed 's/^file://; s/\\(attempt-[^/]*\\).*/\\1/')`,
    script,
  ];
  await writeFile(path, `${lines.join('\n')}\n`);
  await chmod(path, 0o755);
  return path;
}

/** The names of the defects for which a unit is refused, made by that program; empty when it passes. */
async function defectsOf(unit: string, program: string): Promise<string> {
  const key = jobKeys(plan.jobId).marker(unit);
  const { WORK_BUCKET } = services.config;
  await backend.store.delete(WORK_BUCKET, key);
  try {
    await encodeUnit(serve(program), plan, unit, context);
    return '';
  } catch (error) {
    if (!(error instanceof FaultyOutputError)) throw error;
    expect(await backend.store.head(WORK_BUCKET, key)).toBeUndefined();
    return namesIn(error.message);
  }
}

function namesIn(message: string): string {
  return [...message.matchAll(/(?<=^|[.] )([a-z_]+): /g)].map(([, name]) => name).join(', ');
}

type Mutate = (directory: string) => Promise<void>;

/** ffmpeg's own output, mutated before the worker sees it. */
async function defectsOfOutput(unit: string, mutate: Mutate): Promise<string> {
  const mutant = await mkdtemp(join(folder, 'mutant-'));
  await cp(golden[unit] ?? '', mutant, { recursive: true });
  await mutate(mutant);
  return defectsOf(unit, await makeProgram(`cp -r '${mutant}/.' "$attempt"`));
}

/** ffmpeg runs, and its arguments are others. */
async function defectsOfCommand(unit: string, expression: string): Promise<string> {
  const program = await makeProgram(
    `for word; do set -- "$@" "$(printf %s "$word" | sed "${expression}")"; shift; done\nexec "${ffmpeg}" "$@"`,
  );
  return defectsOf(unit, program);
}

const segment = (index: number, of = '108p') => `${of}/0000${index}.ts`;

function onFile(name: string, change: (bytes: Buffer) => Buffer | Promise<Buffer>): Mutate {
  return async (directory) => {
    const path = join(directory, name);
    await writeFile(path, await change(await readFile(path)));
  };
}

/** Takes the middle segment apart; `change` returns its frames in the order of the stream. */
function onFrames(
  change: (frames: Taken['frames']) => readonly (readonly Buffer[])[],
  name = segment(1),
) {
  return onFile(name, (bytes) => {
    const taken = takeApart(bytes);
    return putTogether({ ...taken, frames: change(taken.frames) });
  });
}

function nth<Item>(list: readonly Item[], index: number): Item {
  const item = list[index];
  if (item === undefined) throw new Error(`There is no item ${index} of ${list.length}.`);
  return item;
}

const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1);
const nothing = () => Buffer.alloc(0);

/** A black JPEG of that size. */
async function black(size: string): Promise<Buffer> {
  const path = join(folder, `black-${size}.jpg`);
  const picture = ['-f', 'lavfi', '-i', `color=black:s=${size}`, '-frames:v', '1'];
  await run('ffmpeg', ['-v', 'error', '-y', ...picture, path]);
  return readFile(path);
}

const without = <Item>(list: readonly Item[], index: number) =>
  list.filter((_, at) => at !== index);
const later = (frame: readonly Buffer[], pts: number) => moved(frame, { pts });

async function swapFiles(directory: string, one: string, other: string): Promise<void> {
  const [first, second] = await Promise.all(
    [one, other].map((name) => readFile(join(directory, name))),
  );
  await writeFile(join(directory, one), second ?? '');
  await writeFile(join(directory, other), first ?? '');
}

/** A unit's mutations: of ffmpeg's output, or of its arguments by an expression of sed. */
const MUTATIONS: readonly (readonly [string, string, DefectName, Mutate | string])[] = [
  ['a frame is dropped', VIDEO, 'frame_count', onFrames((all) => without(all, 20))],
  [
    'a frame is dropped and the gap closed',
    VIDEO,
    'frame_count',
    onFrames((all) => [...all.slice(0, 20), ...all.slice(21).map((frame) => later(frame, -FRAME))]),
  ],
  [
    'a frame is doubled',
    VIDEO,
    'frame_count',
    onFrames((all) => [...all.slice(0, 21), ...all.slice(20).map((frame) => later(frame, FRAME))]),
  ],
  [
    'a frame stands in the place of the next',
    VIDEO,
    'picture_order',
    onFrames((all) =>
      all.map((frame, at) => (at === 21 ? withTimesOf(nth(all, 20), frame) : frame)),
    ),
  ],
  [
    'two frames are swapped',
    VIDEO,
    'picture_order',
    onFrames((all) =>
      all.map((frame, at) =>
        at === 20
          ? withTimesOf(nth(all, 21), frame)
          : at === 21
            ? withTimesOf(nth(all, 20), frame)
            : frame,
      ),
    ),
  ],
  [
    'two frames are swapped with their times',
    VIDEO,
    'timestamps',
    onFrames((all) =>
      all.map((frame, at) => (at === 20 ? nth(all, 21) : at === 21 ? nth(all, 20) : frame)),
    ),
  ],
  [
    'all frames come one frame later',
    VIDEO,
    'timestamps',
    onFrames((all) => all.map((frame) => later(frame, FRAME))),
  ],
  [
    'one frame comes a millisecond later',
    VIDEO,
    'timestamps',
    onFrames((all) => all.map((frame, at) => (at === 20 ? later(frame, 90) : frame))),
  ],
  [
    'one segment comes at the time of another',
    VIDEO,
    'timestamps',
    onFrames((all) => all.map((frame) => later(frame, 50 * FRAME))),
  ],
  [
    'the last segment is missing',
    VIDEO,
    'segment_count',
    (directory) => rm(join(directory, segment(2))),
  ],
  [
    'a middle segment is missing',
    VIDEO,
    'segment_count',
    (directory) => rm(join(directory, segment(1))),
  ],
  ['a segment is empty', VIDEO, 'damaged_segment', onFile(segment(1), nothing)],
  [
    'a segment is cut off within a packet',
    VIDEO,
    'damaged_segment',
    onFile(segment(1), (bytes) => bytes.subarray(0, bytes.length - 100)),
  ],
  [
    'a segment is cut off between packets',
    VIDEO,
    'frame_count',
    onFile(segment(1), (bytes) => bytes.subarray(0, 188 * Math.floor(bytes.length / 188 / 2))),
  ],
  [
    'a segment lacks a packet',
    VIDEO,
    'damaged_segment',
    onFile(segment(1), (bytes) =>
      Buffer.concat([bytes.subarray(0, 188 * 9), bytes.subarray(188 * 10)]),
    ),
  ],
  [
    'a key frame is damaged',
    VIDEO,
    'damaged_segment',
    onFrames((all) =>
      all.map((frame, at) =>
        at > 0
          ? frame
          : frame.map((packet, index) =>
              index < 3 ? packet : Buffer.concat([packet.subarray(0, 60), Buffer.alloc(128)]),
            ),
      ),
    ),
  ],
  [
    'segments are swapped',
    VIDEO,
    'timestamps',
    (directory) => swapFiles(directory, segment(0), segment(1)),
  ],
  [
    'a segment comes twice',
    VIDEO,
    'timestamps',
    (directory) => cp(join(directory, segment(0)), join(directory, segment(1))),
  ],
  [
    'a segment is that of another rendition',
    VIDEO,
    'picture_form',
    (directory) => cp(join(directory, segment(1, '54p')), join(directory, segment(1))),
  ],
  [
    'a segment is that of another asset',
    VIDEO,
    'wrong_pictures',
    (directory) => cp(join(foreign[VIDEO] ?? '', segment(1)), join(directory, segment(1))),
  ],
  [
    'a segment has another one’s pictures',
    VIDEO,
    'wrong_pictures',
    async (directory) => {
      const first = takeApart(await readFile(join(directory, segment(0))));
      const frames = first.frames.map((frame) => later(frame, 50 * FRAME));
      await writeFile(join(directory, segment(1)), putTogether({ ...first, frames }));
    },
  ],
  [
    'sound stands in the place of the picture',
    VIDEO,
    'segment_count',
    (directory) => cp(join(golden[AUDIO] ?? '', segment(1, AUDIO)), join(directory, segment(1))),
  ],
  [
    'the last sound segment is missing',
    AUDIO,
    'segment_count',
    (directory) => rm(join(directory, segment(2, AUDIO))),
  ],
  [
    'a sound segment is cut off',
    AUDIO,
    'sound_length',
    onFrames((all) => all.slice(0, -1), segment(2, AUDIO)),
  ],
  [
    'a piece of sound is dropped',
    AUDIO,
    'sound_length',
    onFrames((all) => without(all, 2), segment(1, AUDIO)),
  ],
  [
    'a piece of sound is doubled',
    AUDIO,
    'sound_length',
    onFrames((all) => [...all.slice(0, 3), ...all.slice(2)], segment(1, AUDIO)),
  ],
  [
    'sound comes an AAC frame later',
    AUDIO,
    'timestamps',
    onFrames((all) => all.map((frame) => later(frame, AAC_FRAME)), segment(1, AUDIO)),
  ],
  [
    'a sound segment is that of another asset',
    AUDIO,
    'sound_changed',
    (directory) =>
      cp(join(foreign[AUDIO] ?? '', segment(1, AUDIO)), join(directory, segment(1, AUDIO))),
  ],
  [
    'sound segments are swapped',
    AUDIO,
    'timestamps',
    (directory) => swapFiles(directory, segment(0, AUDIO), segment(1, AUDIO)),
  ],
  [
    'the grid is slower than planned',
    VIDEO,
    'wrong_pictures',
    's/\\[frames\\]fps=fps=25/[frames]fps=fps=24/',
  ],
  [
    'the grid begins a frame late',
    VIDEO,
    'wrong_pictures',
    's/start_time=0.000000/start_time=0.04/',
  ],
  ['the grid ends a frame early', VIDEO, 'frame_count', 's/end_frame=150/end_frame=149/'],
  [
    'all pictures come a frame late',
    VIDEO,
    'wrong_pictures',
    's#\\[frames\\]fps#[frames]setpts=PTS+0.04/TB,fps#',
  ],
  [
    'a picture of the source is left out',
    VIDEO,
    'wrong_pictures',
    "s/\\[frames\\]fps/[frames]select='not(eq(n\\,30))',fps/",
  ],
  [
    'every second picture is left out',
    VIDEO,
    'wrong_pictures',
    's/\\[frames\\]fps/[frames]framestep=2,fps/',
  ],
  [
    'two pictures are swapped before they are encoded',
    VIDEO,
    'wrong_pictures',
    's/end_frame=150,/end_frame=150,shuffleframes=0 2 1,/',
  ],
  ['the picture is mirrored', VIDEO, 'wrong_pictures', 's/\\[s0\\]scale/[s0]hflip,scale/'],
  [
    'one rendition comes a frame late',
    VIDEO,
    'wrong_pictures',
    's/\\[s0\\]scale/[s0]tpad=start=1:start_mode=clone,trim=end_frame=150,scale/',
  ],
  [
    'the hue is turned',
    VIDEO,
    'wrong_colours',
    's/format=yuv420p,setparams/format=yuv420p,hue=h=90,setparams/',
  ],
  ['one rendition has no colours', VIDEO, 'wrong_colours', 's/\\[s1\\]scale/[s1]hue=s=0,scale/'],
  ['the picture is too dark', VIDEO, 'wrong_colours', 's/\\[s0\\]scale/[s0]lutyuv=y=val-6,scale/'],
  [
    'the range is taken for full',
    VIDEO,
    'colour_tags',
    's/out_range=tv,setsar/out_range=pc,setsar/',
  ],
  [
    'the colours are named wrongly',
    VIDEO,
    'colour_tags',
    's/colorspace=smpte170m/colorspace=bt709/',
  ],
  ['the colours are not named', VIDEO, 'colour_tags', 's/,setparams=[^,]*//'],
  ['the pixels are not square', VIDEO, 'picture_form', 's/setsar=1/setsar=2/'],
  ['the picture is too small', VIDEO, 'picture_form', 's/scale=192:108/scale=190:106/'],
  [
    'the chroma is of another kind',
    VIDEO,
    'damaged_segment',
    's/^high$/high444/; s/\\[s0\\]scale/[s0]format=yuv444p,scale/',
  ],
  ['a key frame is missing', VIDEO, 'key_frames', 's/^25$/50/'],
  ['there are key frames too many', VIDEO, 'key_frames', 's/^25$/5/'],
  ['the bit rate has no limit', VIDEO, 'bit_rate', 's/^400000$/90000000/; s/^30$/1/'],
  ['the sound is silent', AUDIO, 'sound_lost', 's/apad,/volume=0,apad,/'],
  ['the sound ends in the middle', AUDIO, 'sound_lost', 's/apad,/afade=t=out:st=3:d=0.1,apad,/'],
  ['the sound comes late', AUDIO, 'sound_lost', 's/apad,/adelay=900:all=1,apad,/'],
  ['the sound is short', AUDIO, 'sound_length', 's/end_sample=288000/end_sample=282000/'],
  ['the sound is mono', AUDIO, 'sound_form', 's/layouts=stereo/layouts=mono/'],
  [
    'a thumbnail is missing',
    IMAGES,
    'missing_object',
    (directory) => rm(join(directory, 'thumbnail-640.jpg')),
  ],
  [
    'a sheet is missing',
    IMAGES,
    'missing_object',
    (directory) => rm(join(directory, 'storyboard-0.jpg')),
  ],
  ['the poster is cut off', IMAGES, 'damaged_image', onFile('poster.jpg', half)],
  ['a thumbnail is empty', IMAGES, 'damaged_image', onFile('thumbnail-320.jpg', nothing)],
  ['a sheet is cut off', IMAGES, 'damaged_image', onFile('storyboard-0.jpg', half)],
  [
    'the data of a sheet are damaged',
    IMAGES,
    'damaged_image',
    onFile('storyboard-0.jpg', (bytes) => bytes.fill(0xff, bytes.length >> 1, bytes.length - 99)),
  ],
  ['the poster is black', IMAGES, 'wrong_pictures', onFile('poster.jpg', () => black('704x396'))],
  [
    'a sheet is black',
    IMAGES,
    'wrong_pictures',
    onFile('storyboard-0.jpg', () => black('800x450')),
  ],
  [
    'the poster is that of another asset',
    IMAGES,
    'wrong_pictures',
    (directory) => cp(join(foreign[IMAGES] ?? '', 'poster.jpg'), join(directory, 'poster.jpg')),
  ],
  [
    'a sheet is that of another asset',
    IMAGES,
    'wrong_pictures',
    (directory) =>
      cp(join(foreign[IMAGES] ?? '', 'storyboard-0.jpg'), join(directory, 'storyboard-0.jpg')),
  ],
  [
    'the poster is as small as a thumbnail',
    IMAGES,
    'image_form',
    (directory) => cp(join(directory, 'thumbnail-640.jpg'), join(directory, 'poster.jpg')),
  ],
  [
    'two tiles are swapped',
    IMAGES,
    'wrong_pictures',
    's/;\\[board\\]/;[board]shuffleframes=1 0 2 3 4 5,/',
  ],
  [
    'the storyboard lacks a tile',
    IMAGES,
    'wrong_pictures',
    's/;\\[board\\]/;[board]trim=end_frame=5,/',
  ],
  ['the storyboard has no colours', IMAGES, 'wrong_colours', 's/;\\[board\\]/;[board]hue=s=0,/'],
  ['the poster is upside down', IMAGES, 'wrong_pictures', 's/;\\[chosen\\]/;[chosen]vflip,/'],
  ['a thumbnail is too dark', IMAGES, 'wrong_colours', 's/;\\[t0\\]/;[t0]lutyuv=y=val-8,/'],
];

describe('Refused units', () => {
  test.each(MUTATIONS)('The gate refuses a unit if %s', async (mutation, unit, name, change) => {
    const by = await (typeof change === 'string'
      ? defectsOfCommand(unit, change)
      : defectsOfOutput(unit, change));
    caught.push({ mutation, by });
    expect(by.split(', ')).toContain(name);
  });
});

test.each(UNITS)('The gate lets %s pass as it was made', async (unit) => {
  expect(await defectsOfOutput(unit, () => Promise.resolve())).toBe('');
  expect(await defectsOfCommand(unit, 's/^$//')).toBe('');
});

/** What is wrong with a published text: its name, and what replaces what in it. */
const TEXTS: readonly (readonly [string, string, string | RegExp, string])[] = [
  ['the bandwidth is too low', POINTER, /:BANDWIDTH=\d+/, ':BANDWIDTH=1000'],
  ['the bandwidth is too high', POINTER, /:BANDWIDTH=\d+/, ':BANDWIDTH=90000000'],
  ['the average is wrong', POINTER, /AVERAGE-BANDWIDTH=/, 'AVERAGE-BANDWIDTH=1'],
  ['the picture has another codec', POINTER, 'avc1', 'hvc1'],
  ['the sound has no codec', POINTER, ',mp4a.40.2', ''],
  ['the resolution is wrong', POINTER, 'RESOLUTION=192x108', 'RESOLUTION=108x192'],
  ['the frame rate is wrong', POINTER, 'FRAME-RATE=25.000', 'FRAME-RATE=50.000'],
  ['a rendition is not listed', POINTER, /#EXT-X-STREAM-INF.*\n.*54p.*\n/, ''],
  ['a rendition is listed twice', POINTER, /(#EXT-X-STREAM-INF.*\n.*\n)/, '$1$1'],
  ['a rendition has no address', POINTER, /\n.*54p.*\n/, '\n'],
  ['a rendition has the address of another', POINTER, '/108p/', '/54p/'],
  ['a rendition is without sound', POINTER, ',AUDIO="audio"', ''],
  ['the sound is not listed', POINTER, /#EXT-X-MEDIA.*\n/, ''],
  ['the sound is that of another version', POINTER, /URI="[^/]*/, 'URI="0123456789abcdef'],
  ['the pointer leads to another version', POINTER, /^[0-9a-f]+\//gm, '0123456789abcdef/'],
  ['the poster is that of another version', POINTER, /"[^"/]*\/images/, '"0123/images'],
  ['a segment is shorter than its playlist says', PLAYLIST, 'EXTINF:2.000000', 'EXTINF:3.000000'],
  ['a segment is not listed', PLAYLIST, /#EXTINF.*\n00001.ts\n/, ''],
  ['a segment is listed twice', PLAYLIST, '00001.ts', '00000.ts'],
  ['the playlist has no end', PLAYLIST, '#EXT-X-ENDLIST\n', ''],
  ['the playlist has a short target', PLAYLIST, 'TARGETDURATION:2', 'TARGETDURATION:1'],
  ['the document is cut off', ASSET_PATH, /.{20}$/, ''],
  ['the document names another version', ASSET_PATH, /"version":"[^"]*/, '"version":"0123'],
  ['the document names another playlist', ASSET_PATH, '/index.m3u8', '/other.m3u8'],
  ['the document has another length', ASSET_PATH, '"durationSeconds":6', '"durationSeconds":7'],
  ['the document lacks a rendition', ASSET_PATH, /\{"name":"54p"[^}]*\}/, ''],
  ['the document has another size', ASSET_PATH, '"width":192', '"width":320'],
  ['the document has another codec', ASSET_PATH, 'avc1', 'hvc1'],
  ['the document has another bit rate', ASSET_PATH, '"peakBitRate":', '"peakBitRate":1'],
  ['the document has another poster', ASSET_PATH, 'poster.jpg', 'thumbnail-640.jpg'],
  ['the document has other bytes', ASSET_PATH, /,"bytes":(\d+)\}$/, ',"bytes":1$1}'],
];

describe('Refused publications', () => {
  let texts: Readonly<Record<string, string>>;
  let markers: readonly Marker[];
  const version = () => planVersion(plan);
  beforeAll(async () => {
    await makeAll();
    expect(await publishWhenDone(services, plan, context)).toBe(true);
    markers = (await requireUnits(services, plan, context)) ?? [];
    const keys = {
      [POINTER]: pointerKey(plan.assetId),
      [PLAYLIST]: versionKey(plan.assetId, version(), PLAYLIST),
      [ASSET_PATH]: versionKey(plan.assetId, version(), ASSET_PATH),
    };
    const entries = Object.entries(keys).map(async ([name, key]) => {
      const object = await backend.store.get(services.config.DELIVERY_BUCKET, key);
      return [name, object ? await text(object.body) : ''] as const;
    });
    texts = Object.fromEntries(await Promise.all(entries));
  });

  function identifyJob(name: string, changed: string): string {
    const defects =
      name === POINTER
        ? checkMultivariantPlaylist(plan, version(), markers, changed)
        : name === PLAYLIST
          ? checkMediaPlaylist(plan, '108p', changed)
          : checkDocument(plan, version(), markers, changed);
    return [...new Set(defects.map((defect) => defect.name))].join(', ');
  }

  test.each(TEXTS)('The gate refuses to publish if %s', (mutation, name, from, to) => {
    const published = texts[name] ?? '';
    expect(identifyJob(name, published)).toBe('');
    const changed = published.replace(from, to);
    expect(changed).not.toBe(published);
    const by = identifyJob(name, changed);
    caught.push({ mutation, by });
    expect(by).toBe(name === ASSET_PATH ? 'asset_document' : 'playlist');
  });
});

/** Changes of what is stored after a unit is done: its name, and the object that goes or is another. */
const STORED: readonly (readonly [string, string, string, DefectName, string | undefined])[] = [
  ['the poster is gone', IMAGES, 'images/poster.jpg', 'missing_object', undefined],
  ['a sheet is gone', IMAGES, 'images/storyboard-0.jpg', 'missing_object', undefined],
  ['the storyboard is empty', IMAGES, 'images/storyboard.vtt', 'changed_object', ''],
  ['a stored segment is gone', VIDEO, '108p/00001.ts', 'missing_object', undefined],
  ['a stored segment is another', AUDIO, 'audio-0/00001.ts', 'changed_object', 'other'],
];

test.each(STORED)(
  'If %s, the unit is made once more, and the job fails the second time',
  async (mutation, unit, path, name, content) => {
    const { store } = backend;
    const { DELIVERY_BUCKET, WORK_BUCKET } = services.config;
    const keys = jobKeys(plan.jobId);
    const object = versionKey(plan.assetId, planVersion(plan), path);
    const spoil = () =>
      content === undefined
        ? store.delete(DELIVERY_BUCKET, object)
        : store.put(
            DELIVERY_BUCKET,
            object,
            content,
            deliveryHeaders(object, CONTAINER.contentType),
          );
    await makeAll();
    await store.delete(DELIVERY_BUCKET, pointerKey(plan.assetId));
    await takeOrders();

    await spoil();
    expect(await publishWhenDone(services, plan, context)).toBe(false);
    expect(await takeOrders()).toEqual([serialiseUnit(plan.jobId, unit)]);
    expect(await store.head(WORK_BUCKET, keys.marker(unit))).toBeUndefined();

    await make(unit);
    expect(await requireUnits(services, plan, context)).toHaveLength(UNITS.length);

    await spoil();
    const refusal = await publishWhenDone(services, plan, context).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(FaultyOutputError);
    const { message: reason } = refusal as FaultyOutputError;
    expect(reason).toContain(`The output of ${unit} differs from the plan, twice.`);
    expect(reason).toContain(`${name}: ${path}`);
    caught.push({ mutation, by: name });
    // Nothing is shown, and the next order of the job begins this unit anew.
    expect(await store.head(DELIVERY_BUCKET, pointerKey(plan.assetId))).toBeUndefined();
    expect(await store.head(WORK_BUCKET, keys.marker(unit))).toBeUndefined();
    expect(await store.head(WORK_BUCKET, keys.redone(unit))).toBeUndefined();
  },
);

/** All messages that wait for a worker. */
async function takeOrders(): Promise<readonly string[]> {
  const { jobs } = services;
  const messages = await jobs.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 60 });
  for (const { receipt } of messages) await jobs.acknowledge(receipt);
  return messages.map(({ body }) => body);
}

/** Makes a unit of what ffmpeg once made of it. */
async function make(unit: string): Promise<void> {
  const program = await makeProgram(`cp -r '${golden[unit] ?? ''}/.' "$attempt"`);
  await backend.store.delete(services.config.WORK_BUCKET, jobKeys(plan.jobId).marker(unit));
  await encodeUnit(serve(program), plan, unit, context);
}

async function makeAll(): Promise<void> {
  for (const unit of UNITS) await make(unit);
}
