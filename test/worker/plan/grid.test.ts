import { describe, expect, test } from 'vitest';
import { chunksOf, frameSeconds, makeGrid, segmentsOf } from '../../../worker/plan/grid.ts';
import type { FrameRange } from '../../../worker/plan/grid.ts';
import { rational } from '../../../worker/plan/rational.ts';

const RATES = [
  rational(1, 1),
  rational(15, 2),
  rational(12, 1),
  rational(24_000, 1001),
  rational(24, 1),
  rational(25, 1),
  rational(30_000, 1001),
  rational(30, 1),
  rational(1000, 33),
  rational(50, 1),
  rational(60_000, 1001),
  rational(60, 1),
];

const DURATIONS = [
  ...[0, 0.001, 0.04, 1, 5.999, 6, 6.001, 12.5, 59.9, 60, 60.5, 61.141, 65.9, 66.066, 66.1],
  ...[119.9, 120, 126.2, 599.97, 3600, 16 * 3600 - 0.02],
];

const CASES = RATES.flatMap((rate) =>
  DURATIONS.map((seconds) => ({ name: `${rate.num}/${rate.den} for ${seconds} s`, rate, seconds })),
);

/** Where the ranges leave a gap, overlap, or are empty. */
function faults(ranges: readonly FrameRange[], frames: number): readonly string[] {
  let next = 0;
  const wrong = ranges.flatMap((range, index) => {
    const fault = range.firstFrame !== next || range.frames < 1;
    next = range.firstFrame + range.frames;
    return fault ? [`${index} begins at ${range.firstFrame} with ${range.frames}`] : [];
  });
  return next === frames ? wrong : [...wrong, `the end is at ${next}, not ${frames}`];
}

describe('Grids', () => {
  test.each([
    [rational(25, 1), 60, { frames: 1500, gopFrames: 50, segmentFrames: 150 }],
    [rational(30_000, 1001), 9.664, { frames: 290, gopFrames: 60, segmentFrames: 180 }],
    [rational(24_000, 1001), 61, { frames: 1463, gopFrames: 48, segmentFrames: 144 }],
    [rational(15, 2), 4, { frames: 30, gopFrames: 15, segmentFrames: 45 }],
    [rational(1, 4), 60, { frames: 15, gopFrames: 1, segmentFrames: 3 }],
    [rational(60, 1), 0, { frames: 1, gopFrames: 120, segmentFrames: 360 }],
  ])('A grid of %o for %d s has whole GOPs, segments and chunks', (rate, seconds, expected) => {
    expect(makeGrid(rate, seconds)).toEqual({ rate, ...expected });
  });

  test('The time of a frame is exact', () => {
    const grid = makeGrid(rational(30_000, 1001), 3600);
    expect(frameSeconds(grid, 0)).toBe(0);
    expect(frameSeconds(grid, 1800)).toBe(60.06);
    expect(frameSeconds(grid, 30_000 * 57)).toBe(1001 * 57);
  });

  test.each(CASES)('The segments of $name cover each frame once', ({ rate, seconds }) => {
    const grid = makeGrid(rate, seconds);
    const segments = segmentsOf(grid);
    expect(faults(segments, grid.frames)).toEqual([]);
    expect(segments.slice(0, -1).every(({ frames }) => frames === grid.segmentFrames)).toBe(true);
    expect(segments.at(-1)?.frames).toBeLessThanOrEqual(grid.segmentFrames);
  });

  test.each(CASES)(
    'The chunks of $name cover each frame once, in whole segments',
    ({ rate, seconds }) => {
      const grid = makeGrid(rate, seconds);
      const segments = segmentsOf(grid);
      const chunks = chunksOf(grid);
      expect(faults(chunks, grid.frames)).toEqual([]);
      for (const chunk of chunks) {
        const own = segments.slice(chunk.firstSegment, chunk.firstSegment + chunk.segments);
        expect(own).toHaveLength(chunk.segments);
        expect(own[0]?.firstFrame).toBe(chunk.firstFrame);
        expect(own.reduce((sum, { frames }) => sum + frames, 0)).toBe(chunk.frames);
      }
    },
  );

  test.each(CASES)(
    'The chunks of $name differ by one segment at most and last at most a minute',
    ({ rate, seconds }) => {
      const grid = makeGrid(rate, seconds);
      const chunks = chunksOf(grid).map(({ segments }) => segments);
      expect(Math.max(...chunks) - Math.min(...chunks)).toBeLessThanOrEqual(1);
      expect(Math.max(...chunks)).toBeLessThanOrEqual(10);
    },
  );

  test.each([
    [29.9, [5]],
    [59.9, [5, 5]],
    [61.141, [5, 6]],
    [90, [5, 5, 5]],
    [126.2, [5, 6, 5, 6]],
    [240, [10, 10, 10, 10]],
    [246, [8, 8, 8, 8, 9]],
  ])('A source of %d s is divided into chunks of %j segments', (seconds, expected) => {
    const grid = makeGrid(rational(25, 1), seconds);
    expect(chunksOf(grid).map(({ segments }) => segments)).toEqual(expected);
  });
});
