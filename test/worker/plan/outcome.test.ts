import { describe, expect, test } from 'vitest';
import {
  FaultyOutputError,
  LeaseLostError,
  PoisonError,
  RejectedError,
  TransientError,
  UnreadableError,
} from '../../../core/model/errors.ts';
import { jobProgress, parseOutline } from '../../../core/model/progress.ts';
import { outcomeOf } from '../../../worker/plan/outcome.ts';
import { examplePlan } from './example.ts';

const delivery = {
  ...{ receiveCount: 1, maxReceives: 20, failures: 0, maxFailures: 5 },
  ...{ retrySeconds: 10, stopping: false },
};
const rejected = new RejectedError('no_video', 'No video.');
const often = { failures: 20, maxFailures: 99 };

function again(failures: number, afterSeconds: number) {
  return { kind: 'resend', failures, afterSeconds };
}

describe('Outcomes', () => {
  test.each([
    ['ended well', undefined, {}, { kind: 'acknowledge' }],
    ['was rejected', rejected, {}, { kind: 'acknowledge' }],
    ['was rejected while stopping', rejected, { stopping: true }, { kind: 'acknowledge' }],
    ['lost its lease', new LeaseLostError('gone'), {}, { kind: 'forget' }],
    ['made output that differs from the plan', new FaultyOutputError('x'), {}, { kind: 'dead' }],
    ['read an invalid document', new UnreadableError('x'), {}, { kind: 'dead' }],
    ['could not understand the message', new PoisonError('?'), {}, { kind: 'dead' }],
    [
      'was stopped',
      new Error('stop'),
      { stopping: true, failures: 2 },
      { kind: 'resend', failures: 2, afterSeconds: 0 },
    ],
    ['failed', new TransientError('x'), {}, again(1, 10)],
    ['failed again', new Error('x'), { failures: 1 }, again(2, 20)],
    ['failed often', new Error('x'), { failures: 3 }, again(4, 80)],
    ['failed very often', new Error('x'), often, again(21, 900)],
    ['failed for the last time', new Error('x'), { failures: 4 }, { kind: 'dead' }],
    ['failed after many deaths', new Error('x'), { receiveCount: 19 }, again(1, 10)],
    ['killed its workers', new Error('x'), { receiveCount: 20 }, { kind: 'dead' }],
    ['failed with something that is no error', 'x', {}, again(1, 10)],
  ])('The outcome is right for a message whose work %s', (_what, error, more, expected) => {
    expect(outcomeOf(error, { ...delivery, ...more })).toEqual(expected);
  });
});

describe('Progress', () => {
  const plan = examplePlan({ seconds: 60 });
  const names = plan.units.map(({ name }) => name);

  test('Progress goes from 0 to 1', () => {
    expect(jobProgress(plan, new Set(), new Map())).toEqual({ done: 0, unitsDone: 0, units: 4 });
    const all = jobProgress(plan, new Set(names), new Map());
    expect(all).toEqual({ done: 1, unitsDone: 4, units: 4 });
  });

  test('Progress includes the notes of running units, and video has the largest weight', () => {
    const half = jobProgress(plan, new Set(['video-00000']), new Map([['video-00001', 0.5]]));
    expect(half.unitsDone).toBe(1);
    expect(half.done).toBeGreaterThan(0.65);
    expect(jobProgress(plan, new Set(['audio-0']), new Map()).done).toBeLessThan(0.05);
  });

  test("Progress is readable from another worker version's plan", () => {
    const other = JSON.stringify({ ...plan, media: { streams: [] }, encoder: 'av1', further: 1 });
    const done = new Set(['video-00000']);
    expect(jobProgress(parseOutline(JSON.parse(other)), done, new Map())).toEqual(
      jobProgress(plan, done, new Map()),
    );
  });
});
