import { expect, test } from 'vitest';
import { statusText } from '../../../scripts/aws/status-text.ts';

const now = new Date('2026-11-25T12:00:00Z');
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);

test('The status shows workers, queue, open jobs and ended jobs at a glance', () => {
  const text = statusText(
    {
      ...{ stage: 'dev', origin: 'https://cdn.example', deadLetters: 2 },
      workers: { running: 1, starting: 2, wanted: 3 },
      queue: { visible: 3, inFlight: 1, delayed: 0 },
      jobs: {
        open: {
          total: 1,
          newest: [
            {
              ...{ jobId: 'b'.repeat(20), source: '강의 #1.mp4', percent: 45 },
              ...{ unitsDone: 3, units: 7, changedAt: before(5) },
              trouble: 'TransientError: no answer\nand more',
            },
          ],
        },
        ended: {
          total: 1234,
          newest: [
            {
              ...{ jobId: 'c'.repeat(20), assetId: 'a', source: 'talk.mp4', status: 'ready' },
              ...{ playlist: 'https://cdn.example/v/a/index.m3u8', endedAt: before(200) },
            },
            {
              ...{ jobId: 'd'.repeat(20), assetId: 'a', source: 'n\u001b[2J\u202e.mp4' },
              ...{ status: 'rejected', code: 'no_video', reason: 'No picture.' },
              endedAt: before(90_000),
            },
          ],
        },
      },
    },
    now,
  );
  expect(text).toBe(`Stage dev, https://cdn.example

  workers       1 running, 2 starting, 3 wanted
  queue         3 waiting, 1 in work, 0 later
  dead letters  2: ./scripts/dead-letters dev list

1 job in work:
   45 %  3/7 units       5 s ago     bbbbbbbbbbbbbbbbbbbb  강의 #1.mp4
      last trouble: TransientError: no answer

1,234 jobs ended, the newest 2:
  ready     3 min ago   cccccccccccccccccccc  talk.mp4
      https://cdn.example/v/a/index.m3u8
  rejected  1 d ago     dddddddddddddddddddd  n\\u001b[2J\\u202e.mp4
      no_video: No picture.
`);
});
