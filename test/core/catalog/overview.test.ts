import { beforeEach, expect, test } from 'vitest';
import { readJobs } from '../../../core/catalog/overview.ts';
import { jobKeys } from '../../../core/model/keys.ts';
import type { Backend, ObjectStore } from '../../../core/storage/ports.ts';
import { openTestBackend } from '../../local-backend.ts';
import { putJson } from '../../put-json.ts';
import { examplePlan } from '../../worker/plan/example.ts';

const BUCKET = 'work';

let backend: Backend;
let store: ObjectStore;
beforeEach(async () => {
  const opened = await openTestBackend();
  ({ backend } = opened);
  ({ store } = backend);
  return opened.close;
});

/** Makes a job id that begins with these digits. */
const id = (start: string) => start.padEnd(20, '0');

const write = (key: string, value: unknown) => putJson(store, BUCKET, key, value);

/** The plan of one minute: two chunks, a sound track and images. */
async function planned(jobId: string): Promise<void> {
  await write(jobKeys(jobId).plan, { ...examplePlan({ seconds: 60 }), jobId });
}

async function rejected(jobId: string): Promise<void> {
  await write(jobKeys(jobId).result, {
    ...{
      type: 'asset.rejected',
      jobId,
      assetId: id('a'),
      source: { bucket: 'source', key: jobId },
    },
    ...{ code: 'no_video', reason: 'The file has no moving picture. Upload a video.' },
  });
}

test('Open jobs are listed with their progress, and ended jobs with their result', async () => {
  const running = id('1');
  await planned(running);
  const [first, second] = examplePlan({ seconds: 60 }).units.filter(({ kind }) => kind === 'video');
  await write(jobKeys(running).marker(first?.name ?? ''), {});
  await write(jobKeys(running).note(first?.name ?? ''), { done: 0.1 });
  await write(jobKeys(running).note(second?.name ?? ''), { done: 0.5 });
  await rejected(id('f'));
  const { open, ended } = await readJobs({ store, config: { WORK_BUCKET: BUCKET } }, 20);
  expect(open).toMatchObject({
    total: 1,
    newest: [{ jobId: running, source: 'talk.mp4', unitsDone: 1, units: 4 }],
  });
  // One chunk and half of the other. Sound and images weigh a few hundredths.
  expect(open.newest[0]?.percent).toBeGreaterThan(65);
  expect(open.newest[0]?.percent).toBeLessThan(76);
  expect(ended).toMatchObject({
    total: 1,
    newest: [{ jobId: id('f'), status: 'rejected', code: 'no_video' }],
  });
});

test('A job without a plan and one with an unreadable plan are listed with their last error', async () => {
  const source = { bucket: 'source', key: '강의.mp4' };
  await write(jobKeys(id('2')).failure('job'), { source, error: 'Error: S3 is out of reach' });
  await write(jobKeys(id('3')).plan, { schema: 99 });
  const { open } = await readJobs({ store, config: { WORK_BUCKET: BUCKET } }, 20);
  expect(open.newest.toSorted((a, b) => a.jobId.localeCompare(b.jobId))).toMatchObject(
    [
      { jobId: id('2'), source: '강의.mp4', percent: 0, units: 0, trouble: /out of reach/ },
      { jobId: id('3'), percent: 0, trouble: /plan\.json cannot be read/ },
    ].map((job) => ({ ...job, trouble: expect.stringMatching(job.trouble) as unknown })),
  );
});

test('All jobs are counted, and only the documents of the newest jobs are read, each of them once', async () => {
  const digits = '0123456789abcdef';
  for (const first of digits) {
    for (const second of '012') await rejected(id(`${first}${second}`));
    await planned(id(`${first}9`));
  }
  const read: string[] = [];
  const counted: ObjectStore = {
    ...store,
    get: (bucket, key) => {
      read.push(key);
      return store.get(bucket, key);
    },
  };
  const { open, ended } = await readJobs({ store: counted, config: { WORK_BUCKET: BUCKET } }, 5);
  expect([open.total, ended.total]).toEqual([16, 48]);
  expect([open.newest.length, ended.newest.length]).toEqual([5, 5]);
  expect(read).toHaveLength(10);
  expect(new Set(read).size).toBe(10);
});
