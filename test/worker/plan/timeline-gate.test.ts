import { describe, expect, test } from 'vitest';
import { checkTimeline } from '../../../worker/plan/gate/pictures.ts';
import { TINY, copyHash } from '../../../worker/plan/gate/reference.ts';
import { examplePlan } from './example.ts';

const SECONDS = 4;
const MICROSECOND = 1e-6;
const MILLISECOND = 1e-3;

/** Times of pictures that follow each other so many times a second, on a clock of such ticks. */
function times(rate: number, { start = 0, tick = MICROSECOND } = {}): readonly number[] {
  return Array.from(
    { length: SECONDS * rate },
    (_, number) => Math.round((start + number / rate) / tick) * tick,
  );
}

/**
 * The names of the defects of a chunk whose grid has so many frames a second. By default each frame
 * shows the last picture that is rounded to it.
 */
function defectsOf(
  pictures: readonly number[],
  gridRate: number,
  shownAt = (frame: number) =>
    pictures.filter((seconds) => Math.round(seconds * gridRate) <= frame).length - 1,
): readonly string[] {
  const rate = { num: gridRate, den: 1 };
  const plan = examplePlan({ seconds: SECONDS, rate });
  const frames = SECONDS * gridRate;
  const copy = (number: number) => new Uint8Array(TINY.bytes).fill(number % 256);
  const shown = Buffer.concat(
    Array.from({ length: frames }, (_, frame) => copy(Math.max(0, shownAt(frame)))),
  );
  const source = pictures.map((seconds, number) => ({ seconds, hash: copyHash(copy(number)) }));
  const segment = { firstFrame: 0, frames, firstSegment: 0, segments: 1 };
  return checkTimeline(
    plan,
    { kind: 'video', name: 'video-00000', ...segment },
    { source, grid: shown, shown, keys: shown, sought: false },
  ).map(({ name }) => name);
}

describe('Accepted timelines', () => {
  test.each([
    ['a picture for each frame', times(25), 25],
    ['a picture for each frame on a clock of milliseconds', times(24, { tick: MILLISECOND }), 24],
    ['a picture for every second frame', times(5), 10],
    [
      'two pictures for each frame of a source above 60 pictures/s',
      times(120, { start: 1 / 240 }),
      60,
    ],
    ['four pictures for each frame', times(240, { tick: MILLISECOND }), 60],
  ])('The gate accepts %s', (_what, pictures, gridRate) => {
    expect(defectsOf(pictures, gridRate)).toEqual([]);
  });
});

test('The gate accepts any of several pictures within the time of one frame', () => {
  expect(defectsOf(times(120), 60, (frame) => Math.max(0, frame * 2 - 1))).toEqual([]);
});

test('The gate accepts a faster source whose last picture ends before its frame begins', () => {
  const pictures = times(120, { start: -1 / 240 }).slice(0, -1);
  expect(defectsOf(pictures, 60, (frame) => Math.min(frame * 2, pictures.length - 2))).toEqual([]);
});

describe('Refused timelines', () => {
  test('The gate refuses a chunk that does not show the last picture of the source', () => {
    expect(defectsOf(times(25), 25, (frame) => Math.min(frame, 98))).toEqual(['wrong_pictures']);
  });

  test('The gate refuses a frame that shows the picture of the previous frame', () => {
    const shownAt = (frame: number) => (frame === 50 ? 49 : frame);
    expect(defectsOf(times(25), 25, shownAt)).toEqual(['wrong_pictures']);
  });

  test('The gate refuses pictures on the borders of frames, of which rounding loses some and doubles others', () => {
    const pictures = times(24, { start: 0.0208, tick: MILLISECOND });
    expect(defectsOf(pictures, 24)).toEqual(['judder']);
  });

  test('The gate refuses a grid with fewer frames than the source has pictures', () => {
    expect(defectsOf(times(50), 25)).toEqual(['lost_pictures']);
  });
});
