import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTAINER } from '../../../worker/plan/formats.ts';
import { chunksOf } from '../../../worker/plan/grid.ts';
import { make } from '../../e2e/clips.ts';
import { encodeSource } from '../../media/encode.ts';
import { fragmentsAt, withEdits } from '../../media/mp4.ts';
import type { Mp4Edit } from '../../media/mp4.ts';
import { beepTimes, beeps, flashTimes, numberedPicture, readFrames } from '../../media/numbered.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vodstack-timeline-'));
});
afterAll(() => rm(folder, { recursive: true }));

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-pix_fmt', 'yuv420p'];

/** An MP4 whose pictures show their numbers, with a beep at each flash. */
function numbered(rate: string, seconds: number, codec: readonly string[] = [...H264, '-g', '48']) {
  const picture = numberedPicture({ size: '160x90', rate, seconds });
  const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', beeps(seconds)];
  return make('numbered.mp4', [...inputs, ...codec, '-c:a', 'aac']);
}

function craft(name: string, bytes: Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Encodes a source; returns the numbers of its pictures, and the seconds between each flash and its beep. */
async function publish(address: string) {
  const { plan, video, audio } = await encodeSource(address, folder);
  const frames = await readFrames(video);
  const flashes = flashTimes(frames);
  const sounds = audio ? await beepTimes(audio) : [];
  return {
    chunks: chunksOf(plan.grid).length,
    seconds: plan.durationSeconds,
    numbers: frames.map(({ number }) => number),
    late: flashes.map((flash) => Math.min(...sounds.map((beep) => Math.abs(beep - flash)))),
    first: (frames[0]?.seconds ?? NaN) - CONTAINER.offsetSeconds,
  };
}

const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);

describe('A source of constant frame rate', () => {
  test.each([
    ['24000/1001', 'mkv', range(0, 144)],
    ['24/1', 'mkv', range(0, 144)],
    ['24/1', 'flv', range(0, 144)],
    ['25/1', 'ts', range(0, 150)],
    ['30000/1001', 'mov', range(0, 180)],
    ['60/1', 'mkv', range(0, 360)],
    ['120/1', 'mkv', range(1, 720, 2)],
  ])(
    'Each picture of a source of %s pictures a second in .%s is shown once, in order and in sync with its sound',
    async (rate, ending, expected) => {
      const file = make(`copy.${ending}`, [
        ...['-i', numbered(rate, 6), '-c', 'copy'],
        ...(ending === 'mov' ? ['-video_track_timescale', '600'] : []),
      ]);
      const { chunks, numbers, late, first } = await publish(file);
      expect(chunks).toBeGreaterThan(1);
      expect(numbers.slice(0, expected.length)).toEqual(expected);
      // The sound ends an AAC frame later, and the last picture is repeated until then.
      expect(new Set(numbers.slice(expected.length)).size).toBeLessThan(2);
      expect(first).toBeCloseTo(0, 3);
      expect(Math.max(...late)).toBeLessThan(0.012);
    },
  );

  test('Each picture of a source of one picture a second is shown for a second', async () => {
    const file = make('slow.mkv', ['-i', numbered('1/1', 12), '-c', 'copy']);
    const { numbers } = await publish(file);
    // ffprobe 5 reads a rate of 1 and ffprobe 7 a variable rate, so the rates of their grids differ.
    const rate = numbers.length / 12;
    expect(rate).toBeGreaterThanOrEqual(10);
    expect(numbers).toEqual(numbers.map((_, frame) => Math.floor(frame / rate)));
  });
});

describe('Edit lists', () => {
  const edits: readonly (readonly [string, readonly Mp4Edit[], readonly number[]])[] = [
    [
      'cut out a part',
      [
        { seconds: 2, from: 0 },
        { seconds: 2, from: 4 },
      ],
      [...range(0, 50), ...range(100, 150)],
    ],
    [
      'repeat a part',
      [
        { seconds: 3, from: 0 },
        { seconds: 3, from: 1 },
      ],
      [...range(0, 75), ...range(25, 100)],
    ],
    [
      'show nothing at first',
      [
        { seconds: 1, from: undefined },
        { seconds: 5, from: 0 },
      ],
      range(0, 125),
    ],
    ['begin between key frames', [{ seconds: 3, from: 2.6 }], range(65, 140)],
  ];
  test.each(edits)(
    'An MP4 whose edits %s is shown as they define, in sync with its sound',
    async (name, list, expected) => {
      const tracks = [
        { scale: 12_800, start: 1024 },
        { scale: 48_000, start: 1024 },
      ];
      const file = withEdits(readFileSync(numbered('25/1', 6)), list, tracks);
      const { numbers, late } = await publish(craft(`${name}.mp4`, file));
      expect(numbers).toEqual(expected);
      expect(Math.max(...late)).toBeLessThan(0.03);
    },
  );
});

describe('A fragmented MP4', () => {
  test.each([30, 1_700_000_000])(
    'A fragmented MP4 whose clock begins at %d s is shown from its first picture on',
    async (start) => {
      const flags = 'empty_moov+default_base_moof+frag_keyframe';
      const copy = ['-i', numbered('25/1', 6), '-c', 'copy', '-movflags', flags];
      const bytes = fragmentsAt(readFileSync(make('fragments.mp4', copy)), start, [12_800, 48_000]);
      const { chunks, numbers } = await publish(craft(`fragments-${start}.mp4`, bytes));
      expect(chunks).toBeGreaterThan(1);
      // Without an edit list, the picture begins two frames after the sound.
      expect(numbers).toEqual([0, 0, ...range(0, 150)]);
    },
  );
});

describe('An index that marks all pictures as key frames', () => {
  test.each([
    ['H.264', [...H264, '-g', '250', '-sc_threshold', '0']],
    ['MPEG-4', ['-c:v', 'mpeg4', '-g', '250', '-sc_threshold', '1000000000', '-q:v', '3']],
    ['VP9', ['-c:v', 'libvpx-vp9', '-g', '250', '-deadline', 'realtime', '-cpu-used', '8']],
  ])(
    'Each moment of %s shows its own picture although its index marks all pictures as key frames',
    async (name, codec) => {
      const bytes = readFileSync(numbered('25/1', 14, codec)).toString('latin1');
      expect(bytes.split('stss')).toHaveLength(2);
      const file = Buffer.from(bytes.replace('stss', 'free'), 'latin1');
      const { chunks, numbers } = await publish(craft(`${name}.mp4`, file));
      expect(chunks).toBeGreaterThan(2);
      expect(numbers).toEqual(range(0, 350));
    },
  );
});
