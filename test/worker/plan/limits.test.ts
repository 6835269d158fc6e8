import { describe, expect, test } from 'vitest';
import type { Unit } from '../../../core/model/units.ts';
import { probeLimits, unitLimits } from '../../../worker/plan/limits.ts';
import type { Plan } from '../../../worker/plan/plan.ts';
import { examplePlan } from './example.ts';

const MIB = 2 ** 20;

function limitsOf(plan: Plan, name: string) {
  const unit = plan.units.find((one: Unit) => one.name === name);
  if (!unit) throw new Error(`There is no unit ${name}.`);
  return unitLimits(plan, unit);
}

describe('Limits of ffprobe', () => {
  test('ffprobe may use half of its time limit as CPU time, no output, and little memory for a small file', () => {
    const limits = { addressBytes: 768 * MIB + 652, cpuSeconds: 30, fileBytes: 0 };
    expect(probeLimits(652, 60)).toEqual(limits);
  });

  test('ffprobe may use more memory for a larger file, up to a limit', () => {
    expect(probeLimits(100 * MIB, 60).addressBytes).toBe(868 * MIB);
    expect(probeLimits(2 ** 40, 60).addressBytes).toBe((768 + 2048) * MIB);
  });
});

describe('Limits of ffmpeg', () => {
  // 640x360, with renditions of 640x360 and 416x234.
  const plan = examplePlan({ seconds: 120 });

  test('ffmpeg may use memory for the pictures of the source and for its index', () => {
    const addressBytes = 3072 * MIB + 200 * 640 * 360 + 1000;
    expect(limitsOf(plan, 'images').addressBytes).toBe(addressBytes);
    const large = examplePlan({ video: { display: { width: 7680, height: 4320 } } });
    expect(limitsOf(large, 'images').addressBytes - addressBytes).toBe(
      200 * (7680 * 4320 - 640 * 360),
    );
  });

  test('ffmpeg may use CPU time for all that it decodes and encodes, where a chunk may be decoded from the start', () => {
    expect(limitsOf(plan, 'images').cpuSeconds).toBe(600 + 120 + Math.ceil(3000 * 0.2304));
    expect(limitsOf(plan, 'audio-0').cpuSeconds).toBe(600 + 120);
    const [first, second] = plan.units.filter(({ kind }) => kind === 'video');
    const pixels = 640 * 360 + 640 * 360 + 416 * 234;
    expect(first).toMatchObject({ firstFrame: 0, frames: 750 });
    expect(limitsOf(plan, first?.name ?? '').cpuSeconds).toBe(
      600 + Math.ceil((750 * pixels) / 1e6),
    );
    expect(limitsOf(plan, second?.name ?? '').cpuSeconds).toBe(
      600 + Math.ceil((1500 * pixels) / 1e6),
    );
  });

  test('ffmpeg may write segments twice as large as the bit rate allows', () => {
    const { maxBitRate = 0 } = plan.renditions[0] ?? {};
    expect(maxBitRate).toBeGreaterThan(0);
    expect(limitsOf(plan, 'video-00000').fileBytes).toBe(64 * MIB + (2 * maxBitRate * 6) / 8);
  });
});
