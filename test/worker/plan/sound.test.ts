import { describe, expect, test } from 'vitest';
import { soundsOf, stereoGains } from '../../../worker/plan/sound.ts';
import type { SoundStream } from '../../../worker/plan/sound.ts';

const MOV = 'mov,mp4,m4a,3gp,3g2,mj2';

/** Streams with the indexes 1, 2 …, mono by default. */
function streams(...odd: readonly Partial<SoundStream>[]): readonly SoundStream[] {
  return odd.map((one, place) => ({
    ...{ index: place + 1, codec: 'pcm_s16le', channels: 1, sampleRate: 48_000, language: 'und' },
    ...{ default: place === 0, roles: '', startSeconds: 0, durationSeconds: 60 },
    ...one,
  }));
}

/** The streams of each sound: `1+2 3`. */
const joined = (odd: readonly Partial<SoundStream>[], demuxer = MOV) =>
  soundsOf(demuxer, streams(...odd))
    .map((sound) => sound.streams.map(({ index }) => index).join('+'))
    .join(' ');

const repeat = (times: number, odd: Partial<SoundStream> = {}) =>
  Array.from({ length: times }, () => odd);

const labelled = (...names: readonly string[]) =>
  names.map((name) => ({ layout: `1 channels (${name})` }));

describe('Mono streams', () => {
  test.each([
    ['two are stereo', repeat(2), '1+2'],
    ['two that are called mono are stereo', repeat(2, { layout: 'mono' }), '1+2'],
    ['six are 5.1', repeat(6), '1+2+3+4+5+6'],
    ['eight are 7.1', repeat(8), '1+2+3+4+5+6+7+8'],
    ['four are two pairs', repeat(4), '1+2 3+4'],
    ['sixteen are pairs', repeat(16), '1+2 3+4 5+6 7+8 9+10 11+12 13+14 15+16'],
    ['three are three', repeat(3), '1 2 3'],
    ['one is one', repeat(1), '1'],
    ['with labels are what the labels say', labelled('FL', 'FR', 'FC'), '1+2+3'],
    ['with labels in any order', labelled('FR', 'FL'), '1+2'],
    ['with the same labels again are another sound', labelled('FL', 'FR', 'FL', 'FR'), '1+2 3+4'],
    [
      'of surround sound and of a stereo mix are two sounds',
      [...labelled('FL', 'FR'), { layout: 'mono' }, ...labelled('LFE', 'SL', 'SR', 'DL', 'DR')],
      '1+2+3+4+5+6 7+8',
    ],
    ['whose titles name channels', [{ title: 'Mix (R)' }, { title: 'Mix (L)' }], '1+2'],
    ['whose titles count', [{ title: 'Track 1' }, { title: 'Track 2' }], '1+2'],
    ['of two languages', [{ language: 'de' }, { language: 'en' }], '1 2'],
    ['of two pairs of languages', [...repeat(2), ...repeat(2, { language: 'en' })], '1+2 3+4'],
    ['of two codecs', [{ codec: 'aac' }, { codec: 'ac3' }], '1 2'],
    ['of two sample rates', [{}, { sampleRate: 44_100 }], '1 2'],
    ['of which one is a commentary', [{}, { title: 'Commentary' }], '1 2'],
    ['of which one is for the blind', [{}, { roles: 'visual_impaired' }], '1 2'],
    ['of which one is much shorter', [{}, { durationSeconds: 20 }], '1 2'],
    [
      'of which one begins and ends a little later',
      [{}, { startSeconds: 0.5, durationSeconds: 59 }],
      '1+2',
    ],
    ['of unknown duration', repeat(2, { durationSeconds: NaN }), '1+2'],
    ['beside stereo', [{ channels: 2, layout: 'stereo' }, {}, {}], '1 2+3'],
    [
      'of which one is beside stereo',
      [{ channels: 2, layout: 'stereo' }, { layout: 'mono' }],
      '1 2',
    ],
  ])('Mono streams are grouped into sounds: %s', (_what, odd, expected) => {
    expect(joined(odd)).toBe(expected);
  });

  test('Mono streams of a DVD are separate sounds: a film and its commentaries', () => {
    expect(joined(repeat(2), 'mpeg')).toBe('1 2');
  });

  test('A sound of mono streams has their common title, and is the default if one of them is', () => {
    const [sound] = soundsOf(
      MOV,
      streams({ title: 'Mix left', default: false }, { title: 'Mix right', default: true }),
    );
    expect(sound).toEqual({
      streams: [
        { index: 1, channels: 1 },
        { index: 2, channels: 1 },
      ],
      ...{ codec: 'pcm_s16le', channels: 2, speakers: ['FL', 'FR'], sampleRate: 48_000 },
      ...{ language: 'und', title: 'Mix', default: true },
    });
  });
});

test('Stereo streams for the front, the centre and the surround are one sound', () => {
  const pairs = ['stereo', '2 channels (FC+LFE)', '2 channels (SL+SR)'];
  expect(joined(pairs.map((layout) => ({ channels: 2, layout })))).toBe('1+2+3');
  expect(joined(repeat(3, { channels: 2, layout: 'stereo' }))).toBe('1 2 3');
});

describe('The stereo mix', () => {
  const gains = (...odd: readonly Partial<SoundStream>[]) => {
    const [sound] = soundsOf(MOV, streams(...odd));
    return sound && stereoGains(sound);
  };

  test.each(['stereo', '5.1', '5.1(side)', '7.1', 'quad'])(
    'The stereo mix of %s is left to ffmpeg',
    (layout) => {
      const channels = { stereo: 2, '5.1': 6, '5.1(side)': 6, '7.1': 8 }[layout] ?? 4;
      expect(gains({ channels, layout })).toBeUndefined();
    },
  );

  test('The stereo mix of two labelled mono streams puts each on its side', () => {
    expect(gains(...labelled('FR', 'FL'))).toEqual([
      { left: [0], right: [1] },
      { left: [1], right: [0] },
    ]);
  });

  test('The stereo mix of 7.1.4 keeps the centre and the power of its channels', () => {
    const names = 'FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR+TBL+TBR';
    const expected = [
      {
        left: [0.5345, 0, 0.378, 0, 0.378, 0, 0.378, 0, 0.378, 0, 0.378, 0],
        right: [0, 0.5345, 0.378, 0, 0, 0.378, 0, 0.378, 0, 0.378, 0, 0.378],
      },
    ];
    expect(gains({ channels: 12, layout: `12 channels (${names})` })).toEqual(expected);
    expect(gains({ channels: 12, layout: '7.1.4' })).toEqual(expected);
  });

  test.each(['5.1.2', '22.2', 'hexadecagonal', '9.1.6', 'ambisonic 3', '16 channels', undefined])(
    'The stereo mix of %s has every channel except the low-frequency ones',
    (layout) => {
      const counts: Readonly<Record<string, number>> = { '5.1.2': 8, '22.2': 24 };
      const channels = counts[layout ?? ''] ?? 16;
      const [only] = gains({ channels, ...(layout ? { layout } : {}) }) ?? [];
      if (!only) throw new Error('There is no mix.');
      expect(only.left).toHaveLength(channels);
      const heard = only.left.filter((gain, at) => gain !== 0 || only.right[at] !== 0).length;
      const low: Readonly<Record<string, number>> = { '5.1.2': 1, '22.2': 2, '9.1.6': 1 };
      // Two ambisonic components hold the sound and its left-right direction.
      expect(heard).toBe(layout?.startsWith('amb') ? 2 : channels - (low[layout ?? ''] ?? 0));
      expect(Math.hypot(...only.left)).toBeCloseTo(1, 3);
    },
  );

  test('The stereo mix of an incomplete layout keeps the power of its channels', () => {
    expect(gains({ channels: 2, layout: '2 channels (SL+SR)' })).toEqual([
      { left: [1, 0], right: [0, 1] },
    ]);
    expect(gains({ channels: 2, layout: '2 channels (LFE+LFE2)' })).toEqual([
      { left: [0.7071, 0.7071], right: [0.7071, 0.7071] },
    ]);
  });
});
