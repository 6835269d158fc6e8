import { describe, expect, test } from 'vitest';
import { STALLED_MILLISECONDS, lostWork, openWork } from '../../../core/model/lost-work.ts';
import type { WorkFacts, JobFacts, SourceFacts } from '../../../core/model/lost-work.ts';

const NOW = new Date('2026-11-27T12:00:00Z');
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

const source = (jobId: string, odd: Partial<SourceFacts> = {}): SourceFacts => ({
  ...{ jobId, source: { bucket: 'source', key: `${jobId}.mp4`, etag: 'e' } },
  ...{ uploadedAt: minutesAgo(60), isPublished: false },
  ...odd,
});

const job = (jobId: string, odd: Partial<JobFacts> = {}): JobFacts => ({
  ...{ jobId, changedAt: minutesAgo(30), hasEnded: false, done: new Set() },
  plan: { source: `${jobId}.mp4`, units: ['video-00000', 'audio-0', 'images'] },
  ...odd,
});

const facts = (some: Partial<WorkFacts>): WorkFacts => ({
  held: 0,
  sources: [],
  jobs: [],
  ...some,
});

/** `upload a`, `video-00000 a`, `job a` */
const brief = (work: ReturnType<typeof openWork>) =>
  work.map((one) => `${one.kind === 'unit' ? one.unit : one.kind} ${one.jobId}`);

const ALL = new Set(['video-00000', 'audio-0', 'images']);

describe('Open work is', () => {
  test.each<[string, Partial<WorkFacts>, readonly string[]]>([
    ['a source without a job', { sources: [source('a')] }, ['upload a']],
    [
      'a source whose job failed before it was planned',
      { sources: [source('a')], jobs: [job('a', { plan: undefined })] },
      ['upload a'],
    ],
    [
      'each unit without a marker, and not the source besides',
      { sources: [source('a')], jobs: [job('a', { done: new Set(['audio-0']) })] },
      ['video-00000 a', 'images a'],
    ],
    ['a job whose units are all done', { jobs: [job('a', { done: ALL })] }, ['job a']],
    ['a job whose plan cannot be read', { jobs: [job('a', { plan: 'unreadable' })] }, ['job a']],
    ['not a job that ended', { sources: [source('a')], jobs: [job('a', { hasEnded: true })] }, []],
    ['not a source that is published', { sources: [source('a', { isPublished: true })] }, []],
    [
      'not a job without a plan whose source is gone',
      { jobs: [job('a', { plan: undefined })] },
      [],
    ],
  ])('%s.', (_, some, expected) => {
    expect(brief(openWork(facts(some)))).toEqual(expected);
  });
});

describe('Lost is', () => {
  const three = [10, 30, 20].map((minutes) =>
    source(`s${minutes}`, { uploadedAt: minutesAgo(minutes) }),
  );
  const recent = source('recent', { uploadedAt: minutesAgo(9) });

  test.each<[string, Partial<WorkFacts>, readonly string[]]>([
    [
      'everything quiet where the queue is empty, the quietest first',
      { sources: [...three, recent] },
      ['upload s30', 'upload s20', 'upload s10'],
    ],
    ['no more than there are messages too few', { sources: three, held: 2 }, ['upload s30']],
    ['nothing where there are as many messages as work', { sources: three, held: 3 }, []],
    ['nothing where there are more', { sources: three, held: 9 }, []],
    [
      'nothing quiet that the message of recent work cannot be told from',
      { sources: [...three, recent], held: 4 },
      [],
    ],
    ['no unit of a job that goes on', { jobs: [job('a', { changedAt: minutesAgo(1) })] }, []],
    [
      'no upload whose job wrote something a short while ago',
      { sources: [source('a')], jobs: [job('a', { plan: undefined, changedAt: minutesAgo(1) })] },
      [],
    ],
  ])('%s.', (_, some, expected) => {
    expect(brief(lostWork(facts(some), NOW))).toEqual(expected);
  });

  test('work that was quiet for exactly so long, and none a moment before.', () => {
    const at = (milliseconds: number) =>
      facts({ sources: [source('a', { uploadedAt: new Date(NOW.getTime() - milliseconds) })] });
    expect(lostWork(at(STALLED_MILLISECONDS), NOW)).toHaveLength(1);
    expect(lostWork(at(STALLED_MILLISECONDS - 1), NOW)).toEqual([]);
  });
});
