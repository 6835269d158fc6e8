import { expect, test } from 'vitest';
import { leftOutSentences } from '../../../core/model/left-out.ts';
import { parsePlan } from '../../../worker/plan/plan.ts';
import { examplePlan } from './example.ts';

test('A plan keeps at most eight sound tracks, including the default one, and names the others', () => {
  const audio = Array.from({ length: 10 }, (_, index) => ({
    ...{ streams: [{ index: index + 1, channels: 2 }], codec: 'aac', channels: 2 },
    ...{ sampleRate: 48_000, language: 'en' },
    default: index === 9,
  }));
  const plan = examplePlan({ audio });
  const tracks = plan.audio;
  expect(tracks.map(({ streams }) => streams[0]?.index)).toEqual([1, 2, 3, 4, 5, 6, 7, 10]);
  expect(tracks.filter((track) => track.default).map(({ name }) => name)).toEqual(['audio-7']);
  const left = { what: 'sound', codec: 'aac', language: 'en', reason: 'too_many_tracks' };
  expect(plan.leftOut).toEqual([
    { ...left, stream: 8 },
    { ...left, stream: 9 },
  ]);
  expect(parsePlan(JSON.parse(JSON.stringify(plan)))).toEqual(plan);
});

test('Each kind of left-out stream and each reason has its own sentence', () => {
  const subtitles = { what: 'subtitles', codec: 'subrip', reason: 'no_captions_yet' } as const;
  const data = { what: 'data', reason: 'not_shown_or_heard' } as const;
  expect(
    leftOutSentences([
      { ...subtitles, stream: 2, language: 'ko' },
      { ...data, stream: 3, codec: 'gpmd', language: 'en' },
      { ...subtitles, stream: 4, language: 'en' },
      { ...subtitles, stream: 5, language: 'ko' },
      { ...subtitles, stream: 6 },
      { what: 'attachment', stream: 7, reason: 'not_shown_or_heard' },
    ]),
  ).toEqual([
    'Subtitles (Korean, English, subrip) left out: subtitles inside a file do not become captions yet.',
    'Data (gpmd) left out: players can neither show nor play them.',
    'Attached files left out: players can neither show nor play them.',
  ]);
});
