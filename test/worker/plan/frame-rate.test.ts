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
  ])('of an average of %s and a base of %s is %s', (average, base, expected) => {
    const rates = { average: rateOf(average), base: rateOf(base) };
    expect(gridRate(rates)).toEqual(rateOf(expected));
  });

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
    'of an average of %s, a base of %s and a pace of %d is %s',
    (average, base, pace, expected) => {
      const rates = { average: rateOf(average), base: rateOf(base), pace };
      expect(gridRate(rates)).toEqual(rateOf(expected));
    },
  );

  test('is left open by rates that differ, and by those that no camera has', () => {
    const unsettled = (average: string, base: string) =>
      needsPace({ average: rateOf(average), base: rateOf(base) });
    expect(unsettled('30000/1001', '30000/1001')).toBe(false);
    expect(unsettled('24003/1000', '24/1')).toBe(false);
    expect(unsettled('25/2', '25/2')).toBe(false);
    expect(unsettled('6330/1031', '6330/1031')).toBe(true);
    expect(unsettled('15800/829', '50/1')).toBe(true);
    expect(needsPace({})).toBe(true);
  });

  test.each([
    ['24000/1001', { pictures: 1, frames: 1 }],
    ['30303/1000', { pictures: 1, frames: 1 }],
    ['100/1', { pictures: 2, frames: 1 }],
    ['240/1', { pictures: 4, frames: 1 }],
    ['15/2', { pictures: 1, frames: 2 }],
    ['1/1', { pictures: 1, frames: 10 }],
  ])('of %s comes in the cadence %j', (rate, expected) => {
    expect(cadence({ average: rateOf(rate), base: rateOf(rate) })).toEqual(expected);
  });

  test('has no cadence where it is variable', () => {
    expect(cadence({ average: rateOf('22/1'), base: rateOf('90000/1') })).toBeUndefined();
    expect(cadence({})).toBeUndefined();
  });

  test('is the base rate where there is no average, and 25 where there is nothing', () => {
    expect(gridRate({ base: rational(30, 1) })).toEqual({ num: 30, den: 1 });
    expect(gridRate({})).toEqual({ num: 25, den: 1 });
  });

  test('is variable when average and base are far apart', () => {
    expect(isVariable({ average: rational(22, 1), base: rational(90_000, 1) })).toBe(true);
    expect(isVariable({ average: rational(24_003, 1000), base: rational(24, 1) })).toBe(false);
    expect(isVariable({ base: rational(30, 1) })).toBe(false);
  });
});

describe('A fraction', () => {
  test('is reduced, and its denominator positive', () => {
    expect(rational(60, 4)).toEqual({ num: 15, den: 1 });
    expect(rational(-6, -4)).toEqual({ num: 3, den: 2 });
    expect(() => rational(1, 0)).toThrow(RangeError);
    expect(() => rational(1.5, 1)).toThrow(RangeError);
  });

  test.each(['0/0', '0/1', '1/0', '', 'N/A', '25', '1/2/3', '-1/2'])(
    'is not parsed from %j',
    (text) => {
      expect(parseRational(text)).toBeUndefined();
    },
  );
});
