import { expect, test } from 'vitest';
import { seekCandidates } from '../../../worker/plan/seek.ts';
import { examplePlan } from './example.ts';

const plan = examplePlan({ seconds: 300 });
const { rate } = plan.grid;
const at = (seconds: number) =>
  seekCandidates(plan, Math.round((seconds * rate.num) / rate.den)).map(({ from }) => from);

test('The first frame of an asset is decoded without a seek', () => {
  expect(at(0)).toEqual([]);
});

test('A frame is sought at its own time, then ever further before it', () => {
  expect(at(280)).toEqual([280, 276, 264, 216, 24].map((seconds) => plan.originSeconds + seconds));
});

test('No position at or before the start of the source is tried', () => {
  expect(at(60)).toEqual([60, 56, 44].map((seconds) => plan.originSeconds + seconds));
});

test('A picture may be half a frame late, as it goes to the nearest frame of the grid', () => {
  const [first] = seekCandidates(plan, 1000);
  expect((first?.latest ?? 0) - (first?.from ?? 0)).toBeCloseTo(rate.den / rate.num / 2, 9);
});
