import { describe, expect, test } from 'vitest';
import { cadence, gridRate, needsPace, isVariable } from '../../../worker/plan/frame-rate.ts';
import { parseRational, rational } from '../../../worker/plan/rational.ts';

const rateOf = (text: string) => parseRational(text) ?? rational(1, 1);

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
    ['1/5', '1/5', '10/1'],
    ['1/1', '1/1', '10/1'],
    ['6/1', '6/1', '12/1'],
    ['15/2', '15/2', '15/1'],
  ])(
    'The grid of an average rate of %s and a base rate of %s has the rate %s',
    (average, base, expected) => {
      const rates = { average: rateOf(average), base: rateOf(base) };
      expect(gridRate(rates)).toEqual(rateOf(expected));
    },
  );

  test.each([
    ['6330/1031', '6330/1031', 25, '25/1'],
    ['15800/829', '50/1', 50, '50/1'],
    ['25/2', '25/2', 12.5, '25/2'],
    ['20/1', '90000/1', 30.303, '30000/1001'],
    ['20/1', '90000/1', 29.412, '30000/1001'],
    ['20/1', '90000/1', 16.129, '24000/1001'],
    ['40/1', '90000/1', 500, '60/1'],
    ['29/1', '90000/1', 23.81, '30000/1001'],
  ])(
    'The grid of an average rate of %s, a base rate of %s and a pace of %d has the rate %s',
    (average, base, pace, expected) => {
      const rates = { average: rateOf(average), base: rateOf(base), pace };
      expect(gridRate(rates)).toEqual(rateOf(expected));
    },
  );

  test('The pace is needed if the declared rates differ or are rates that no camera has', () => {
    const open = (average: string, base: string) =>
      needsPace({ average: rateOf(average), base: rateOf(base) });
    expect(open('30000/1001', '30000/1001')).toBe(false);
    expect(open('24003/1000', '24/1')).toBe(false);
    expect(open('25/2', '25/2')).toBe(false);
    expect(open('6330/1031', '6330/1031')).toBe(true);
    expect(open('15800/829', '50/1')).toBe(true);
    expect(needsPace({})).toBe(true);
  });

  test.each([
    ['24000/1001', { pictures: 1, frames: 1 }],
    ['30303/1000', { pictures: 1, frames: 1 }],
    ['100/1', { pictures: 2, frames: 1 }],
    ['240/1', { pictures: 4, frames: 1 }],
    ['15/2', { pictures: 1, frames: 2 }],
    ['1/1', { pictures: 1, frames: 10 }],
  ])('A source of %s frames per second has the cadence %j', (rate, expected) => {
    expect(cadence({ average: rateOf(rate), base: rateOf(rate) })).toEqual(expected);
  });

  test('A variable rate has no cadence', () => {
    expect(cadence({ average: rateOf('22/1'), base: rateOf('90000/1') })).toBeUndefined();
    expect(cadence({})).toBeUndefined();
  });

  test('The grid has the base rate if there is no average, and 25 if there is neither', () => {
    expect(gridRate({ base: rational(30, 1) })).toEqual({ num: 30, den: 1 });
    expect(gridRate({})).toEqual({ num: 25, den: 1 });
  });

  test('A frame rate is variable if average and base are far apart', () => {
    expect(isVariable({ average: rational(22, 1), base: rational(90_000, 1) })).toBe(true);
    expect(isVariable({ average: rational(24_003, 1000), base: rational(24, 1) })).toBe(false);
    expect(isVariable({ base: rational(30, 1) })).toBe(false);
  });
});

describe('A fraction', () => {
  test('A fraction is reduced and has a positive denominator', () => {
    expect(rational(60, 4)).toEqual({ num: 15, den: 1 });
    expect(rational(-6, -4)).toEqual({ num: 3, den: 2 });
    expect(() => rational(1, 0)).toThrow(RangeError);
    expect(() => rational(1.5, 1)).toThrow(RangeError);
  });

  test.each(['0/0', '0/1', '1/0', '', 'N/A', '25', '1/2/3', '-1/2'])(
    'A fraction is not parsed from %j',
    (text) => {
      expect(parseRational(text)).toBeUndefined();
    },
  );
});
