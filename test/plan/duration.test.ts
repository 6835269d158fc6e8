import { describe, expect, test } from 'vitest';
import { RejectedError } from '../../worker/errors.ts';
import { requireOneClock, settleDuration } from '../../worker/plan/duration.ts';
import { PacketSurvey } from '../../worker/plan/packets.ts';
import type { PacketRange } from '../../worker/plan/packets.ts';

const MP4 = 'mov,mp4,m4a,3gp,3g2,mj2';
const limits = { maxDurationSeconds: 3600, maxSizeBytes: 1e9, maxPicturePixels: 36e6 };

function settle(
  demuxer: string,
  startSeconds: number | undefined,
  durationSeconds: number | undefined,
  packets: PacketRange | undefined,
) {
  const declared = { demuxer, sizeBytes: 1, startSeconds, durationSeconds, audio: [] };
  try {
    return settleDuration(declared, packets, limits);
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
    ['as long as it says, where its packets agree', MP4, 0, 60, { first: 45, end: 59.97 }, 60],
    ['until its last packet, where it says nothing', 'webm', 0, undefined, { first: 0, end: 7 }, 7],
    ['as its edit list says, though packets follow', MP4, 0, 10, { first: 0, end: 12 }, 10],
    ['as its packets say in a stream without index', 'mpegts', 0, 10, { first: 0, end: 12 }, 12],
    ['until its end, a little before what it says', MP4, 0, 100, { first: 85, end: 96 }, 96],
  ])('%s.', (_how, demuxer, start, declared, packets, seconds) => {
    expect(settle(demuxer, start, declared, packets)).toEqual(lasts(0, seconds));
  });

  test('from its own start.', () => {
    expect(settle('mpegts', 95_400, 10, { first: 95_400, end: 95_410 })).toEqual(lasts(95_400, 10));
    expect(settle('mpegts', undefined, undefined, { first: 5, end: 9 })).toEqual(lasts(5, 4));
  });
});

describe('A source is refused', () => {
  test.each([
    ['that ends long before it says', 10, { first: 0, end: 4 }],
    ['without packets', 10, undefined],
    ['that ends before it begins', 10, { first: -5, end: 0 }],
  ])('%s.', (_which, declared, packets) => {
    expect(settle(MP4, 0, declared, packets)).toBe('truncated_source');
  });

  test('that is longer than it may be.', () => {
    expect(settle('webm', 0, undefined, { first: 0, end: 3601 })).toBe('source_too_long');
  });
});

test('A clock that jumps back is refused, and a sentence says when.', () => {
  const survey = (...times: readonly number[]) => {
    const packets = new PacketSurvey(undefined);
    for (const pts of times) {
      packets.add({ stream: 0, pts, dts: pts, duration: 0.04, key: true });
    }
    return packets;
  };
  expect(() => requireOneClock(survey(10, 11, 12), 10)).not.toThrow();
  expect(() => requireOneClock(survey(10, 11, 12, 10), 10)).toThrow(
    "The file's clock jumps back after 2.0 s, as where recordings were strung together.",
  );
});
