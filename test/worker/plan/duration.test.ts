import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../../core/model/errors.ts';
import { hasFalseEdits, requireOneClock, settleDuration } from '../../../worker/plan/duration.ts';
import { PacketSurvey } from '../../../worker/plan/packets.ts';
import type { PacketRange } from '../../../worker/plan/packets.ts';
import type { DeclaredMedia } from '../../../worker/plan/source.ts';

const DECLARED: DeclaredMedia = {
  ...{ demuxer: 'mov,mp4', sizeBytes: 1, startSeconds: 0, durationSeconds: 6, longestSeconds: 6 },
  soundSeconds: undefined,
  ...{ audio: [], unheard: [], leftOut: [] },
};
const limits = { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 };

function settle(
  startSeconds: number | undefined,
  durationSeconds: number | undefined,
  packets: PacketRange | undefined,
) {
  try {
    return settleDuration({ startSeconds, durationSeconds }, packets, limits);
  } catch (error) {
    return error instanceof RejectedError ? error.code : error;
  }
}

const lasts = (startSeconds: number, durationSeconds: number) => ({
  startSeconds,
  durationSeconds,
});

describe('A source lasts', () => {
  test.each([
    ['as long as it says, where its packets agree', 60, { first: 45, end: 59.97 }, 60],
    ['until its last packet, where it says nothing', undefined, { first: 0, end: 7 }, 7],
    ['until its last packet, where that is later', 10, { first: 0, end: 12 }, 12],
    ['until its last packet, where it says next to nothing', 0.08, { first: 0, end: 6 }, 6],
    [
      'as its packets show, where it says nothing and they are few',
      0.001,
      { first: 0, end: 0.08 },
      0.08,
    ],
    ['until its end, a little before what it says', 100, { first: 85, end: 96 }, 96],
  ])('%s.', (_how, declared, packets, seconds) => {
    expect(settle(0, declared, packets)).toEqual(lasts(0, seconds));
  });

  test('from its own start.', () => {
    expect(settle(95_400, 10, { first: 95_400, end: 95_410 })).toEqual(lasts(95_400, 10));
    expect(settle(undefined, undefined, { first: 5, end: 9 })).toEqual(lasts(5, 4));
  });
});

describe('A source is refused', () => {
  test.each([
    ['that ends long before it says', 10, { first: 0, end: 4 }],
    ['without packets', 10, undefined],
    ['that ends before it begins', 10, { first: -5, end: 0 }],
  ])('%s.', (_which, declared, packets) => {
    expect(settle(0, declared, packets)).toBe('truncated_source');
  });

  test('that is longer than it may be.', () => {
    expect(settle(0, undefined, { first: 0, end: 3601 })).toBe('source_too_long');
  });
});

test('A clock that jumps back is refused, and a sentence says when.', () => {
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

  test('that hides nearly all that the header says is shown is not believed.', () => {
    expect(judged(0.08, 1, 6)).toBe(true);
    expect(judged(0, 1, 6)).toBe(true);
  });

  test('that leaves a moment of many pictures is not believed, though the header agrees.', () => {
    expect(judged(0.08, 100, 0.08)).toBe(true);
    expect(judged(2, 100, 2)).toBe(false);
  });

  test('is followed where the header agrees, and where it hides nothing.', () => {
    expect(judged(0.08, 1, 0.08)).toBe(false);
    expect(judged(4, 1, 6)).toBe(false);
    expect(judged(0.08, 0, 6)).toBe(false);
  });
});
