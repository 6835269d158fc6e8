import { describe, expect, test } from 'vitest';
import { originSeconds, steadyStart } from '../../../worker/plan/phase.ts';
import { parseRational, rational } from '../../../worker/plan/rational.ts';
import { examplePlan } from './example.ts';

const ratesOf = (text: string) => {
  const rate = parseRational(text) ?? rational(1, 1);
  return { average: rate, base: rate };
};

/** When pictures of a rate are shown, on a clock of milliseconds. */
const timesOf = (text: string, start: number) => {
  const { base } = ratesOf(text);
  const at = (index: number) => Math.round((start + (index * base.den) / base.num) * 1000) / 1000;
  return [at(0), ...Array.from({ length: 39 }, (_, index) => at(index + 1))] as const;
};

describe('The start of pictures', () => {
  test.each(['24000/1001', '24/1', '25/1', '60000/1001', '240/1', '1/1'])(
    'at a rate of %s is found to a third of a millisecond on a clock of milliseconds',
    (rate) => {
      for (const start of [0, 0.0213, 1.4835, 95_000.0005]) {
        const found = steadyStart(timesOf(rate, start), ratesOf(rate));
        expect(Math.abs(found - start)).toBeLessThan(0.00051);
      }
    },
  );

  test('follows the other pictures if the first is out of step', () => {
    const times = [0, ...timesOf('25/1', 0.055)] as const;
    // The picture before the steady ones belongs 40 ms before them.
    expect(steadyStart(times, ratesOf('25/1'))).toBeCloseTo(0.015, 3);
  });

  test('is the time of the first picture if the pictures have no steady step', () => {
    const none = [0.3, 0.313, 0.371, 0.422, 0.44, 0.499] as const;
    expect(steadyStart(none, ratesOf('25/1'))).toBe(0.3);
  });
});

describe('Time zero', () => {
  const origin = (startSeconds: number, pictureSeconds: number, rate = '24/1') => {
    const { video } = examplePlan({ video: { rates: ratesOf(rate) } }).media;
    if (!video) throw new Error('The plan has no picture.');
    return originSeconds({ startSeconds, pictureSeconds, video });
  };

  test.each([
    ['the picture, where both begin together', 0, 0, 0],
    ['the picture, where it comes first', 1.4, 1.4, 1.4],
    ['the picture, where the sound begins by the run-in of AAC before it', 0, 0.021, 0.021],
    ['the picture, where the sound begins by the run-in of HE-AAC before it', 10, 10.048, 10.048],
    ['whole frames before the picture, where the sound begins earlier', 0, 2.01, 0.01],
    ['a little after the sound, where that is nearer', 0, 1.99, -0.01],
  ])('is %s', (_what, start, picture, expected) => {
    expect(origin(start, picture)).toBeCloseTo(expected, 6);
  });

  test('lies so that the borders of a frame are midway between pictures, where several become one', () => {
    // 240 pictures become 60 frames: -1.5, -0.5, 0.5 and 1.5 distances from their frame.
    expect(origin(0, 0, '240/1')).toBeCloseTo(1.5 / 240, 6);
    expect(origin(0, 0, '120/1')).toBeCloseTo(0.5 / 120, 6);
    expect(origin(0, 0, '1/1')).toBe(0);
  });

  test('is the start of sound alone', () => {
    expect(originSeconds({ startSeconds: 0.5 })).toBe(0.5);
  });
});
