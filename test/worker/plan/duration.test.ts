import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../../core/model/errors.ts';
import { hasFalseEdits, requireOneClock, resolveDuration } from '../../../worker/plan/duration.ts';
import { PacketSurvey } from '../../../worker/plan/packets.ts';
import type { PacketRange } from '../../../worker/plan/packets.ts';
import type { DeclaredMedia } from '../../../worker/plan/source.ts';

const DECLARED: DeclaredMedia = {
  ...{ demuxer: 'mov,mp4', sizeBytes: 1, startSeconds: 0, durationSeconds: 6, longestSeconds: 6 },
  soundSeconds: undefined,
  ...{ audio: [], unidentifiedAudio: [], leftOut: [] },
};
const limits = { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 };

function settle(
  startSeconds: number | undefined,
  durationSeconds: number | undefined,
  packets: PacketRange | undefined,
) {
  try {
    return resolveDuration({ startSeconds, durationSeconds }, packets, limits);
  } catch (error) {
    return error instanceof RejectedError ? error.code : error;
  }
}

const lasts = (startSeconds: number, durationSeconds: number) => ({
  startSeconds,
  durationSeconds,
});

describe('The duration of a source', () => {
  test.each([
    ['is the declared one if its packets agree', 60, { first: 45, end: 59.97 }, 60],
    ['ends with its last packet if none is declared', undefined, { first: 0, end: 7 }, 7],
    ['ends with its last packet if that is later than declared', 10, { first: 0, end: 12 }, 12],
    ['ends with its last packet if the declared one is nearly zero', 0.08, { first: 0, end: 6 }, 6],
    [
      'follows few packets if the declared one is nearly zero',
      0.001,
      { first: 0, end: 0.08 },
      0.08,
    ],
    [
      'ends with its last packet if that is a little earlier than declared',
      100,
      { first: 85, end: 96 },
      96,
    ],
  ])('%s', (_how, declared, packets, seconds) => {
    expect(settle(0, declared, packets)).toEqual(lasts(0, seconds));
  });

  test('begins at the start of the source', () => {
    expect(settle(95_400, 10, { first: 95_400, end: 95_410 })).toEqual(lasts(95_400, 10));
    expect(settle(undefined, undefined, { first: 5, end: 9 })).toEqual(lasts(5, 4));
  });
});

describe('The duration check', () => {
  test.each([
    ['rejects a source that ends long before its declared end', 10, { first: 0, end: 4 }],
    ['rejects a source without packets', 10, undefined],
    ['rejects a source that ends before it begins', 10, { first: -5, end: 0 }],
  ])('%s', (_which, declared, packets) => {
    expect(settle(0, declared, packets)).toBe('truncated_source');
  });

  test('rejects a source above the duration limit', () => {
    expect(settle(0, undefined, { first: 0, end: 3601 })).toBe('source_too_long');
  });
});

test('A source whose clock jumps back is rejected with the time of the jump', () => {
  const survey = (...times: readonly number[]) => {
    const packets = new PacketSurvey(undefined);
    for (const pts of times) {
      packets.add({ stream: 0, pts, dts: pts, duration: 0.04, key: true, hidden: false });
    }
    return packets;
  };
  expect(() => requireOneClock(survey(10, 11, 12), 10)).not.toThrow();
  expect(() => requireOneClock(survey(10, 11, 12, 10), 10)).toThrow(
    "The file's clock jumps back after 2.0 s, as where recordings were strung together.",
  );
});

describe('An edit list', () => {
  const judged = (shownSeconds: number, hidden: number, longestSeconds: number) => {
    const packets = new PacketSurvey(0);
    const usual = { stream: 0, dts: undefined, duration: 0.04, key: true };
    for (let pts = 0; pts < shownSeconds; pts += 0.04)
      packets.add({ ...usual, pts, hidden: false });
    for (let pts = 5; pts < 5 + hidden * 0.04; pts += 0.04)
      packets.add({ ...usual, pts, hidden: true });
    const declared = { ...DECLARED, longestSeconds };
    return hasFalseEdits(declared, packets);
  };

  test('is ignored if it hides nearly all of what the header declares', () => {
    expect(judged(0.08, 1, 6)).toBe(true);
    expect(judged(0, 1, 6)).toBe(true);
  });

  test('is ignored if it leaves only a moment of many pictures, even if the header agrees', () => {
    expect(judged(0.08, 100, 0.08)).toBe(true);
    expect(judged(2, 100, 2)).toBe(false);
  });

  test('is applied if the header agrees or nothing is hidden', () => {
    expect(judged(0.08, 1, 0.08)).toBe(false);
    expect(judged(4, 1, 6)).toBe(false);
    expect(judged(0.08, 0, 6)).toBe(false);
  });
});
