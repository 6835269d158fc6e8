import { describe, expect, test } from 'vitest';
import { PacketSurvey } from '../../../worker/plan/packets.ts';
import type { SourcePacket } from '../../../worker/plan/packets.ts';

function survey(packets: readonly Partial<SourcePacket>[], picture?: number): PacketSurvey {
  const made = new PacketSurvey(picture);
  for (const packet of packets) {
    const { pts = 0 } = packet;
    made.add({
      ...{ stream: 0, pts, dts: pts, duration: 0.04, key: false, hidden: false },
      ...packet,
    });
  }
  return made;
}

/** Packets of stream 0 with these presentation times in seconds, in decode order. */
const shown = (times: readonly number[]) => times.map((pts, index) => ({ pts, dts: index * 0.04 }));

describe('A packet survey', () => {
  test('A packet survey ranges from the first shown packet to the end of the last', () => {
    expect(survey([{ pts: 2 }, { pts: 1, stream: 1 }, { pts: 4 }, { pts: 3 }]).range).toEqual({
      first: 1,
      end: 4.04,
    });
    expect(survey([]).range).toBeUndefined();
  });

  test('A packet survey lists the streams that have packets', () => {
    const packets = survey([{ stream: 3 }]);
    expect([packets.has(3), packets.has(0)]).toEqual([true, false]);
  });

  test('A packet survey detects a clock that jumps back, and accepts interleaved streams', () => {
    expect(survey([{ pts: 5 }, { pts: 2, stream: 1 }, { pts: 5.1 }]).setback).toBeUndefined();
    expect(survey([{ pts: 5 }, { pts: 4.2, dts: 4.2 }, { pts: 6 }]).setback).toBeUndefined();
    expect(survey([{ pts: 5 }, { pts: 9 }, { pts: 0 }, { pts: 12 }, { pts: 1 }]).setback).toBe(9);
  });

  test('Packets that are hidden or have no decode time are no setback', () => {
    expect(survey([{ pts: 5 }, { pts: 1, hidden: true }, { pts: 5.04 }]).setback).toBeUndefined();
    const reordered = [{ pts: 0 }, { pts: 4 }, { pts: 2 }].map((packet) => ({
      ...{ ...packet, dts: undefined },
    }));
    expect(survey([...reordered, { pts: 1, dts: 1 }]).setback).toBeUndefined();
    const second = { duration: 1 };
    const guessed = [0, 4, 1, 2].map((dts) => ({ ...second, pts: dts, dts }));
    expect(survey(guessed).setback).toBeUndefined();
    expect(survey([...guessed, { ...second, pts: 40 }, { ...second, pts: 0 }]).setback).toBe(40);
  });

  test('Hidden packets do not count for the range but are reported', () => {
    const packets = survey([{ pts: 0 }, { pts: 9, hidden: true }, { pts: 9, stream: 1 }]);
    expect(packets.range).toEqual({ first: 0, end: 9.04 });
    expect(packets.endBeforeHidden(0)).toBe(0.04);
    expect(packets.endBeforeHidden(1)).toBeUndefined();
    expect(survey([{ pts: 0, hidden: true }]).endBeforeHidden(0)).toBe(-Infinity);
  });

  test('The pace is the median rate of the pictures in presentation order', () => {
    const steady = Array.from({ length: 50 }, (_, index) => index / 25);
    const pause = steady.map((seconds) => seconds + 20);
    const reordered = [0, 0.16, 0.08, 0.04, 0.12, 0.32, 0.24, 0.2, 0.28];
    expect(survey(shown([...steady, ...pause]), 0).pace).toBe(25);
    expect(survey(shown(reordered), 0).pace).toBe(25);
    expect(survey(shown(steady), 1).pace).toBeUndefined();
    expect(survey(shown([3]), 0).pace).toBeUndefined();
  });
});
