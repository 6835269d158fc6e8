import { expect, test } from 'vitest';
import { examplePlan } from './example.ts';

test('Of many sound tracks eight are kept, and among them the default one.', () => {
  const audio = Array.from({ length: 10 }, (_, index) => ({
    ...{ streams: [{ index: index + 1, channels: 2 }], codec: 'aac', channels: 2 },
    ...{ sampleRate: 48_000, language: 'en' },
    default: index === 9,
  }));
  const tracks = examplePlan({ audio }).audio;
  expect(tracks.map(({ streams }) => streams[0]?.index)).toEqual([1, 2, 3, 4, 5, 6, 7, 10]);
  expect(tracks.filter((track) => track.default).map(({ name }) => name)).toEqual(['audio-7']);
});
