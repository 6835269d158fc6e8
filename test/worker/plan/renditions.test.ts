import { describe, expect, test } from 'vitest';
import { LADDER, rungsNamed } from '../../../core/model/ladder.ts';
import { displaySize, fit } from '../../../worker/plan/geometry.ts';
import { rational } from '../../../worker/plan/rational.ts';
import { selectRenditions } from '../../../worker/plan/renditions.ts';

const at25 = rational(25, 1);
const sizes = (width: number, height: number) =>
  selectRenditions({ width, height }, at25).renditions.map(
    (one) => `${one.name} ${one.width}x${one.height}`,
  );

describe('Renditions', () => {
  test.each([
    [
      1920,
      1080,
      ['1080p 1920x1080', '720p 1280x720', '540p 960x540', '360p 640x360', '234p 416x234'],
    ],
    [
      3840,
      2160,
      ['1080p 1920x1080', '720p 1280x720', '540p 960x540', '360p 640x360', '234p 416x234'],
    ],
    [
      1080,
      1920,
      ['1080p 1080x1920', '720p 720x1280', '540p 540x960', '360p 360x640', '234p 234x416'],
    ],
    [1280, 720, ['720p 1280x720', '540p 960x540', '360p 640x360', '234p 416x234']],
    [864, 486, ['486p 864x486', '360p 640x360', '234p 416x234']],
    [400, 300, ['300p 400x300', '234p 312x234']],
    [427, 239, ['234p 418x234']],
    [320, 180, ['180p 320x180']],
    [
      1080,
      2280,
      ['1080p 1080x2280', '720p 720x1520', '540p 540x1140', '360p 360x760', '234p 234x494'],
    ],
    [2, 2, ['2p 2x2']],
    [1, 1, ['1p 2x2']],
  ])('The renditions of a source of %i x %i are %j', (width, height, expected) => {
    expect(sizes(width, height)).toEqual(expected);
  });

  test('Renditions are never enlarged, have even sides, and keep the aspect ratio to the pixel', () => {
    for (let width = 2; width < 4000; width += 37) {
      for (const height of [2, 97, 240, 361, 719, 1081, 2160]) {
        const { renditions } = selectRenditions({ width, height }, at25);
        expect(renditions.length).toBeGreaterThan(0);
        for (const one of renditions) {
          expect((one.width % 2) + (one.height % 2)).toBe(0);
          expect(one.width).toBeLessThanOrEqual(Math.max(2, width));
          expect(one.height).toBeLessThanOrEqual(Math.max(2, height));
          const scale = Math.min(one.width / width, one.height / height);
          expect(Math.abs(one.width - width * scale)).toBeLessThanOrEqual(
            2 * Math.max(1, width / height),
          );
          expect(Math.abs(one.height - height * scale)).toBeLessThanOrEqual(
            2 * Math.max(1, height / width),
          );
        }
      }
    }
  });

  test('Skipped rungs are listed with the reason', () => {
    expect(selectRenditions({ width: 640, height: 360 }, at25).skipped).toEqual([
      { rung: '1080p', reason: 'larger_than_source' },
      { rung: '720p', reason: 'larger_than_source' },
      { rung: '540p', reason: 'larger_than_source' },
    ]);
  });

  test('Above 30 frames/s, the bit-rate limit is 1.5 times as high, and the buffer is one second of it', () => {
    const [slow] = selectRenditions({ width: 1280, height: 720 }, rational(30, 1)).renditions;
    const [fast] = selectRenditions({ width: 1280, height: 720 }, rational(60, 1)).renditions;
    expect(slow).toMatchObject({ maxBitRate: 3_500_000, bufferBits: 3_500_000 });
    expect(fast).toMatchObject({ maxBitRate: 5_250_000, bufferBits: 5_250_000 });
  });

  test('The requested rungs give at least one rendition', () => {
    const ladder = rungsNamed(['720p', '360p']);
    const names = (height: number) =>
      selectRenditions({ width: height * 2, height }, at25, ladder).renditions.map(
        ({ name }) => name,
      );
    expect(names(1080)).toEqual(['720p', '360p']);
    expect(names(540)).toEqual(['540p', '360p']);
    expect(names(200)).toEqual(['200p']);
  });

  test('The ladder is in descending order', () => {
    const sides = LADDER.map(({ shortSide }) => shortSide);
    expect(sides).toEqual([...sides].sort((a, b) => b - a));
  });
});

describe('Sizes', () => {
  test.each([
    [720, 480, rational(32, 27), 'none', { width: 853, height: 480 }],
    [1440, 1080, rational(4, 3), 'hflip', { width: 1920, height: 1080 }],
    [1280, 720, undefined, 'clock', { width: 720, height: 1280 }],
    [1280, 720, undefined, 'half', { width: 1280, height: 720 }],
    [720, 480, rational(8, 9), 'cclock_flip', { width: 480, height: 640 }],
  ] as const)(
    'of %i x %i, stretched by %j and turned by %s, is %j',
    (width, height, aspect, turn, shown) => {
      expect(displaySize({ width, height }, aspect, turn)).toEqual(shown);
    },
  );

  test('A size fits a short side without being enlarged', () => {
    expect(fit({ width: 427, height: 239 }, 1080)).toEqual({ width: 426, height: 238 });
    expect(fit({ width: 1998, height: 1080 }, 540)).toEqual({ width: 1000, height: 540 });
  });

  test('A size fits the longest side that can be encoded', () => {
    expect(fit({ width: 16_400, height: 20 }, 1080)).toEqual({ width: 16_384, height: 20 });
    expect(fit({ width: 16, height: 32_000 }, 1080)).toEqual({ width: 8, height: 16_384 });
  });
});
