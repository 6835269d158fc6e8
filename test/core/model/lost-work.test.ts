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

/** Shortens work to texts like `upload a`, `video-00000 a` and `job a`. */
const brief = (work: ReturnType<typeof openWork>) =>
  work.map((one) => `${one.kind === 'unit' ? one.unit : one.kind} ${one.jobId}`);

const ALL = new Set(['video-00000', 'audio-0', 'images']);

describe('Open work', () => {
  test.each<[string, Partial<WorkFacts>, readonly string[]]>([
    ['includes a source without a job', { sources: [source('a')] }, ['upload a']],
    [
      'includes a source whose job failed before it was planned',
      { sources: [source('a')], jobs: [job('a', { plan: undefined })] },
      ['upload a'],
    ],
    [
      'includes each unit without a marker, but not its source',
      { sources: [source('a')], jobs: [job('a', { done: new Set(['audio-0']) })] },
      ['video-00000 a', 'images a'],
    ],
    ['includes a job whose units are all done', { jobs: [job('a', { done: ALL })] }, ['job a']],
    [
      'includes a job whose plan cannot be read',
      { jobs: [job('a', { plan: 'unreadable' })] },
      ['job a'],
    ],
    [
      'does not include a job that has ended',
      { sources: [source('a')], jobs: [job('a', { hasEnded: true })] },
      [],
    ],
    [
      'does not include a source that is published',
      { sources: [source('a', { isPublished: true })] },
      [],
    ],
    [
      'does not include a job without plan and source',
      { jobs: [job('a', { plan: undefined })] },
      [],
    ],
  ])('Open work %s', (_, some, expected) => {
    expect(brief(openWork(facts(some)))).toEqual(expected);
  });
});

describe('Lost work', () => {
  const three = [10, 30, 20].map((minutes) =>
    source(`s${minutes}`, { uploadedAt: minutesAgo(minutes) }),
  );
  const recent = source('recent', { uploadedAt: minutesAgo(9) });

  test.each<[string, Partial<WorkFacts>, readonly string[]]>([
    [
      'is all stalled work when the queue is empty, the longest stalled first',
      { sources: [...three, recent] },
      ['upload s30', 'upload s20', 'upload s10'],
    ],
    [
      'is not more than the number of missing messages',
      { sources: three, held: 2 },
      ['upload s30'],
    ],
    ['is empty when there are as many messages as work', { sources: three, held: 3 }, []],
    ['is empty when there are more messages than work', { sources: three, held: 9 }, []],
    [
      'does not include stalled work that may own the message of recent work',
      { sources: [...three, recent], held: 4 },
      [],
    ],
    [
      'does not include units of a job with recent progress',
      { jobs: [job('a', { changedAt: minutesAgo(1) })] },
      [],
    ],
    [
      'does not include an upload whose job has recently written an object',
      { sources: [source('a')], jobs: [job('a', { plan: undefined, changedAt: minutesAgo(1) })] },
      [],
    ],
  ])('Lost work %s', (_, some, expected) => {
    expect(brief(lostWork(facts(some), NOW))).toEqual(expected);
  });

  test('Work counts as lost at the end of the stall time, and not a moment earlier', () => {
    const at = (milliseconds: number) =>
      facts({ sources: [source('a', { uploadedAt: new Date(NOW.getTime() - milliseconds) })] });
    expect(lostWork(at(STALLED_MILLISECONDS), NOW)).toHaveLength(1);
    expect(lostWork(at(STALLED_MILLISECONDS - 1), NOW)).toEqual([]);
  });
});
