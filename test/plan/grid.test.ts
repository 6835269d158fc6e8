import { describe, expect, test } from 'vitest';
import { chunksOf, frameSeconds, makeGrid, segmentsOf } from '../../worker/plan/grid.ts';
import type { FrameRange } from '../../worker/plan/grid.ts';
import { rational } from '../../worker/plan/rational.ts';

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

describe('The grid', () => {
  test.each([
    [rational(25, 1), 60, { frames: 1500, gopFrames: 50, segmentFrames: 150, chunkFrames: 1500 }],
    [
      rational(30_000, 1001),
      9.664,
      { frames: 290, gopFrames: 60, segmentFrames: 180, chunkFrames: 1800 },
    ],
    [
      rational(24_000, 1001),
      61,
      { frames: 1463, gopFrames: 48, segmentFrames: 144, chunkFrames: 1440 },
    ],
    [rational(15, 2), 4, { frames: 30, gopFrames: 15, segmentFrames: 45, chunkFrames: 450 }],
    [rational(1, 4), 60, { frames: 15, gopFrames: 1, segmentFrames: 3, chunkFrames: 30 }],
    [rational(60, 1), 0, { frames: 1, gopFrames: 120, segmentFrames: 360, chunkFrames: 3600 }],
  ])('of %o for %d s has whole GOPs, segments and chunks', (rate, seconds, expected) => {
    expect(makeGrid(rate, seconds)).toEqual({ rate, ...expected });
  });

  test('says exactly when a frame is shown', () => {
    const grid = makeGrid(rational(30_000, 1001), 3600);
    expect(frameSeconds(grid, 0)).toBe(0);
    expect(frameSeconds(grid, 1800)).toBe(60.06);
    expect(frameSeconds(grid, 30_000 * 57)).toBe(1001 * 57);
  });

  test.each(CASES)('$name is covered by its segments once', ({ rate, seconds }) => {
    const grid = makeGrid(rate, seconds);
    const segments = segmentsOf(grid);
    expect(faults(segments, grid.frames)).toEqual([]);
    expect(segments.slice(0, -1).every(({ frames }) => frames === grid.segmentFrames)).toBe(true);
    expect(segments.at(-1)?.frames).toBeLessThanOrEqual(grid.segmentFrames);
  });

  test.each(CASES)(
    '$name is covered by its chunks once, in whole segments',
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
    '$name ends with no chunk that is shorter than a segment',
    ({ rate, seconds }) => {
      const grid = makeGrid(rate, seconds);
      const chunks = chunksOf(grid);
      const last = chunks.at(-1)?.frames ?? 0;
      expect(chunks.slice(0, -1).every(({ frames }) => frames === grid.chunkFrames)).toBe(true);
      expect(last).toBeLessThan(grid.chunkFrames + grid.segmentFrames);
      if (chunks.length > 1) expect(last).toBeGreaterThanOrEqual(grid.segmentFrames);
    },
  );

  test('keeps what is left of less than a segment in the chunk before', () => {
    const joined = chunksOf(makeGrid(rational(25, 1), 65.96));
    expect(joined).toEqual([{ firstFrame: 0, frames: 1649, firstSegment: 0, segments: 11 }]);
    expect(chunksOf(makeGrid(rational(25, 1), 66))).toEqual([
      { firstFrame: 0, frames: 1500, firstSegment: 0, segments: 10 },
      { firstFrame: 1500, frames: 150, firstSegment: 10, segments: 1 },
    ]);
  });
});
