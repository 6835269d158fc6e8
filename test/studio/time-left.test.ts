import { expect, test } from 'vitest';
import { TimeLeft } from '../../studio/server/time-left.ts';

test('There is no estimate before two seconds and two per cent of the work', () => {
  const left = new TimeLeft();
  expect(left.after({ atSeconds: 100, done: 0.5 })).toBeUndefined();
  expect(left.after({ atSeconds: 101, done: 0.6 })).toBeUndefined();
  expect(left.after({ atSeconds: 150, done: 0.51 })).toBeUndefined();
});

test('The estimate continues at the speed seen so far', () => {
  const left = new TimeLeft();
  left.after({ atSeconds: 100, done: 0.5 });
  expect(left.after({ atSeconds: 110, done: 0.6 })).toBeCloseTo(40);
  expect(left.after({ atSeconds: 150, done: 1 })).toBeCloseTo(0);
});

test('The estimate starts again when the work is started again', () => {
  const left = new TimeLeft();
  left.after({ atSeconds: 100, done: 0.5 });
  expect(left.after({ atSeconds: 110, done: 0 })).toBeUndefined();
  expect(left.after({ atSeconds: 120, done: 0.5 })).toBeCloseTo(10);
});
