import { describe, expect, test } from 'vitest';
import { gridRate, isVariable } from '../../worker/plan/frame-rate.ts';
import { chunksOf, frameSeconds, makeGrid, segmentsOf } from '../../worker/plan/grid.ts';
import { parseRational, rational } from '../../worker/plan/rational.ts';

const RATES = ['24000/1001', '24/1', '25/1', '30000/1001', '30/1', '50/1', '60000/1001', '60/1'];
const ODD = ['1/1', '5/1', '12500/1000', '15/1', '14985/1000', '48/1'];
const LENGTHS = [0.01, 1, 5.99, 6, 6.01, 59, 60, 60.06, 61, 65.9, 66.1, 119.9, 600, 3600, 43_200];

const rateOf = (text: string) => parseRational(text) ?? rational(1, 1);

describe('The grid', () => {
  test.each([...RATES, ...ODD].map((text) => [text]))(
    'at %s covers any length without gap or overlap.',
    (text) => {
      for (const seconds of LENGTHS) {
        const grid = makeGrid(rateOf(text), seconds);
        const segments = segmentsOf(grid);
        let frame = 0;
        for (const segment of segments) {
          expect(segment.firstFrame).toBe(frame);
          expect(segment.frames).toBeGreaterThan(0);
          frame += segment.frames;
        }
        expect(frame).toBe(grid.frames);
        let next = { frame: 0, segment: 0 };
        for (const chunk of chunksOf(grid)) {
          expect([chunk.firstFrame, chunk.firstSegment]).toEqual([next.frame, next.segment]);
          expect(segments[chunk.firstSegment]?.firstFrame).toBe(chunk.firstFrame);
          expect(chunk.frames).toBeLessThan(grid.chunkFrames + grid.segmentFrames);
          next = { frame: next.frame + chunk.frames, segment: next.segment + chunk.segments };
        }
        expect(next).toEqual({ frame: grid.frames, segment: segments.length });
        const off = Math.abs(frameSeconds(grid, grid.frames) - seconds);
        expect(off).toBeLessThan(frameSeconds(grid, 1));
      }
    },
  );

  test.each([
    ['30000/1001', { gopFrames: 60, segmentFrames: 180, chunkFrames: 1800 }],
    ['25/1', { gopFrames: 50, segmentFrames: 150, chunkFrames: 1500 }],
    ['24000/1001', { gopFrames: 48, segmentFrames: 144, chunkFrames: 1440 }],
    ['60/1', { gopFrames: 120, segmentFrames: 360, chunkFrames: 3600 }],
    ['12500/1000', { gopFrames: 25, segmentFrames: 75, chunkFrames: 750 }],
    ['1/1', { gopFrames: 2, segmentFrames: 6, chunkFrames: 60 }],
  ])('at %s has borders of %j.', (text, expected) => {
    expect(makeGrid(rateOf(text), 100)).toMatchObject(expected);
  });

  test('leaves no chunk shorter than a segment, but for a source that is shorter itself.', () => {
    for (let frames = 1; frames < 6000; frames += 7) {
      const grid = makeGrid(rational(25, 1), frames / 25);
      const shortest = Math.min(...chunksOf(grid).map((chunk) => chunk.frames));
      expect(shortest).toBeGreaterThanOrEqual(Math.min(frames, grid.segmentFrames));
    }
  });
});

describe('The rate of the grid', () => {
  test.each([
    ['25/1', '25/1', '25/1'],
    ['24003/1000', '24/1', '24/1'],
    ['29979/1000', '30000/1001', '30000/1001'],
    ['30303/1000', '30/1', '30/1'],
    ['60000/1001', '60000/1001', '60000/1001'],
    ['240/1', '240/1', '60/1'],
    ['120000/1001', '120000/1001', '60000/1001'],
    ['100/1', '100/1', '50/1'],
    ['22677/1000', '90000/1', '24000/1001'],
    ['10505/1000', '90000/1', '24000/1001'],
    ['19333/1000', '24/1', '24/1'],
    ['1000000/66667', '1000000/66667', '15/1'],
    ['1/5', '1/5', '1/1'],
  ])('of an average of %s and a base of %s is %s.', (average, base, expected) => {
    const rates = { average: rateOf(average), base: rateOf(base) };
    expect(gridRate(rates)).toEqual(rateOf(expected));
  });

  test('is the base rate where there is no average, and 25 where there is nothing.', () => {
    expect(gridRate({ base: rational(30, 1) })).toEqual({ num: 30, den: 1 });
    expect(gridRate({})).toEqual({ num: 25, den: 1 });
  });

  test('is variable when average and base are far apart.', () => {
    expect(isVariable({ average: rational(22, 1), base: rational(90_000, 1) })).toBe(true);
    expect(isVariable({ average: rational(24_003, 1000), base: rational(24, 1) })).toBe(false);
    expect(isVariable({ base: rational(30, 1) })).toBe(false);
  });
});

describe('A fraction', () => {
  test('is reduced, and its denominator positive.', () => {
    expect(rational(60, 4)).toEqual({ num: 15, den: 1 });
    expect(rational(-6, -4)).toEqual({ num: 3, den: 2 });
    expect(() => rational(1, 0)).toThrow(RangeError);
    expect(() => rational(1.5, 1)).toThrow(RangeError);
  });

  test.each(['0/0', '0/1', '1/0', '', 'N/A', '25', '1/2/3', '-1/2'])('is not %j.', (text) => {
    expect(parseRational(text)).toBeUndefined();
  });
});
