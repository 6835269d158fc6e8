import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../core/log.ts';
import { parseAssetEvent } from '../../core/model/asset.ts';
import type { AssetEvent } from '../../core/model/asset.ts';
import { TransientError, UnreadableError } from '../../core/model/errors.ts';
import { assetIdOf, jobIdOf } from '../../core/model/ids.ts';
import { jobKeys } from '../../core/model/keys.ts';
import { serialiseJob, serialiseUnit } from '../../core/model/message.ts';
import type { JobOptions } from '../../core/model/message.ts';
import { parseMarker } from '../../core/model/units.ts';
import { createDocument, readDocument, writeDocument } from '../../core/storage/documents.ts';
import type { LocalBackend } from '../../core/storage/local/backend.ts';
import { layoutEnv } from '../../core/storage/local/layout.ts';
import type { LibraryItem } from '../../studio/schema.ts';
import { remove } from '../../studio/server/actions.ts';
import { consume } from '../../worker/consume.ts';
import { createDeadLetterReporter } from '../../worker/dead-letter-reporter.ts';
import { handleDeadLetter, handleMessage } from '../../worker/pipeline.ts';
import { PLAN_SCHEMA, parsePlan, planVersion } from '../../worker/plan/plan.ts';
import type { Plan } from '../../worker/plan/plan.ts';
import type { Services } from '../../worker/services.ts';
import { clip } from '../e2e/clips.ts';
import { openTestBackend } from '../local-backend.ts';

const file = clip({ name: 'lifecycle.mp4', seconds: 2, size: '160x90', sound: false });
const log = createLog('silent');

let backend: LocalBackend;
let services: Services;
let work: string;
beforeEach(async () => {
  const opened = await openTestBackend();
  ({ backend } = opened);
  services = opened.services({ X264_PRESET: 'ultrafast', LADDER: '234p' });
  work = services.config.WORK_BUCKET;
  return opened.close;
});

const context = () => ({ log, signal: new AbortController().signal });

/** Puts the clip into the source bucket and removes its message from the queue. Returns the job. */
async function upload(options: JobOptions = {}) {
  const { store, jobs, config } = services;
  const bucket = config.SOURCE_BUCKET;
  const { etag } = await store.put(bucket, 'clip.mp4', readFileSync(file));
  const [message] = await jobs.receive({ max: 1, waitSeconds: 1, visibilitySeconds: 60 });
  await jobs.acknowledge(message?.receipt ?? '');
  const source = { bucket, key: 'clip.mp4', etag };
  const assetId = assetIdOf(source);
  const jobId = jobIdOf(assetId, options);
  return { jobId, assetId, keys: jobKeys(jobId), message: serialiseJob({ source, options }) };
}

/** Uploads the clip, plans its job and sends its units. */
async function planned(options: JobOptions = {}) {
  const job = await upload(options);
  await handleMessage(services, job.message, context());
  const plan = await readDocument(services.store, work, job.keys.plan, parsePlan);
  if (!plan) throw new Error('There is no plan.');
  return { ...job, plan };
}

/** Consumes messages until a job ends, and returns its event. Each message is delivered once at most. */
async function consumeUntilEnd(): Promise<AssetEvent> {
  const stop = new AbortController();
  const { jobs: queue, deadLetters, events } = services;
  const consuming = consume({
    queue,
    deadLetters,
    log,
    stop: stop.signal,
    visibilitySeconds: 60,
    maxReceives: 5,
    maxFailures: 5,
    retrySeconds: 900,
    handle: (body, around) => handleMessage(services, body, around),
    handleDeadLetter: (body, why, around) => handleDeadLetter(services, body, why, around),
    onIdle: async () => {},
  });
  try {
    const [event] = await events.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 60 });
    if (!event) throw new Error('No job has ended.');
    await events.acknowledge(event.receipt);
    return parseAssetEvent(JSON.parse(event.body));
  } finally {
    stop.abort();
    await consuming;
  }
}

const planOf = async (key: string): Promise<Plan | undefined> =>
  readDocument(services.store, work, key, parsePlan);

describe('An unreadable plan', () => {
  test.each([
    ['from an older version', (plan: Plan) => JSON.stringify({ ...plan, schema: 1, grid: {} })],
    ['of invalid JSON', () => 'no JSON'],
  ])('A plan %s is replaced by the first worker that reads it', async (_, write) => {
    const { jobId, keys, plan } = await planned();
    await services.store.put(work, keys.plan, write(plan));
    expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.ready', jobId });
    expect(await planOf(keys.plan)).toEqual(plan);
    expect((await services.deadLetters.counts()).visible).toBe(0);
  });

  test('A repeated request replaces an unreadable plan', async () => {
    const { jobId, keys, message } = await planned({ ladder: ['234p'] });
    await services.store.put(work, keys.plan, '{}');
    await services.jobs.send(message);
    await handleMessage(services, message, context());
    expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.ready', jobId });
  });

  test('An unreadable plan of a job with unknown options fails the job at the first receive', async () => {
    const { jobId, assetId, keys, plan } = await planned({ ladder: ['234p'] });
    await services.store.put(work, keys.plan, JSON.stringify({ ...plan, schema: 1 }));
    expect(await consumeUntilEnd()).toMatchObject({
      type: 'asset.failed',
      jobId,
      assetId,
      source: { key: 'clip.mp4' },
      reason: expect.stringContaining('plan.json cannot be read') as string,
    });
    expect(await services.store.head(work, keys.result)).toBeDefined();
    expect((await services.deadLetters.counts()).visible).toBeGreaterThan(0);
  });

  test('An unreadable plan without an origin fails the job', async () => {
    const { jobId, keys } = await planned({ ladder: ['234p'] });
    await services.store.put(work, keys.plan, '{}');
    expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.failed', jobId });
  });

  test('A plan from a newer version is left to workers that can read it', async () => {
    const { jobId, keys, plan } = await planned();
    const newer = JSON.stringify({ ...plan, schema: PLAN_SCHEMA + 1 });
    await services.store.put(work, keys.plan, newer);
    const message = serialiseUnit(jobId, 'images');
    await expect(handleMessage(services, message, context())).rejects.toThrow(TransientError);
    const found = await services.store.head(work, keys.plan);
    expect(found?.sizeBytes).toBe(newer.length);
    // The last receive reports the job all the same.
    expect(await handleDeadLetter(services, message, new Error('five times'), context())).toBe(
      true,
    );
    expect(await services.store.head(work, keys.result)).toBeDefined();
  });
});

describe('A marker', () => {
  test.each([
    ['is unreadable', '{}'],
    [
      'belongs to another plan',
      JSON.stringify({
        kind: 'images',
        unit: 'images',
        version: 'another',
        elapsedSeconds: 1,
        files: [],
      }),
    ],
  ])('A unit whose marker %s is done again', async (_, marker) => {
    const { jobId, keys, plan } = await planned();
    await services.store.put(work, keys.marker('images'), marker);
    expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.ready', jobId });
    const made = await readDocument(services.store, work, keys.marker('images'), parseMarker);
    expect(made).toMatchObject({ kind: 'images', version: planVersion(plan) });
  });

  test('A marker that is damaged after its unit was done lets the unit be sent again', async () => {
    const { jobId, keys } = await planned();
    for (let left = 2; left > 0; left -= 1) {
      const { jobs } = services;
      const [unit] = await jobs.receive({ max: 1, waitSeconds: 1, visibilitySeconds: 60 });
      if (!unit) throw new Error('A unit is missing.');
      if (left === 1) await services.store.put(work, keys.marker('images'), 'damaged');
      await handleMessage(services, unit.body, context());
      await jobs.acknowledge(unit.receipt);
    }
    expect(await services.store.head(work, keys.result)).toBeUndefined();
    expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.ready', jobId });
  });
});

test('A job that is deleted during any write of its worker leaves only its mark', async () => {
  const entry = (jobId: string, assetId: string) => ({
    jobIds: [jobId],
    item: { id: assetId } as LibraryItem,
    source: { bucket: 'source', key: 'clip.mp4', etag: '' },
  });
  for (let write = 0, more = true; more; write += 1) {
    const { jobId, assetId, message } = await upload({ title: 'Gone' });
    const { store, jobs } = services;
    let left = write;
    const put: typeof store.put = async (...object) => {
      left -= 1;
      if (left === -1) {
        const { etag } = (await store.head('source', 'clip.mp4')) ?? { etag: '' };
        const gone = {
          ...entry(jobId, assetId),
          source: { bucket: 'source', key: 'clip.mp4', etag },
        };
        await remove({ store: backend.store, config: layoutEnv('') }, gone, async () => undefined);
      }
      return store.put(...object);
    };
    const watched = { ...services, store: { ...store, put } };
    let body: string | undefined = message;
    while (body !== undefined) {
      await handleMessage(watched, body, context());
      const [next] = await jobs.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 60 });
      if (next) await jobs.acknowledge(next.receipt);
      body = next?.body;
    }
    const kept = [];
    for (const bucket of ['source', 'work', 'delivery']) {
      for await (const { key } of store.list(bucket, '')) kept.push(key);
    }
    const events = await services.events.counts();
    more = left < 0;
    if (more) {
      expect([write, kept]).toEqual([
        write,
        [`deleted/assets/${assetId}.json`, `deleted/jobs/${jobId}.json`],
      ]);
    } else {
      // Nothing was deleted in the last round: the same file, uploaded again, becomes an asset.
      expect(kept).toContain(`v/${assetId}/index.m3u8`);
      expect(kept.filter((key) => key.startsWith('deleted/'))).toEqual([]);
      expect(events.visible).toBeGreaterThan(0);
      expect(write).toBeGreaterThan(10);
    }
  }
});

test('A unit that is no longer in the plan does not fail its job', async () => {
  const { jobId, keys } = await planned();
  await handleMessage(services, serialiseUnit(jobId, 'video-00099'), context());
  expect(await services.store.head(work, keys.result)).toBeUndefined();
});

test('An unreadable result does not prevent a new job for the file', async () => {
  const { keys, message, jobId } = await upload();
  await services.store.put(work, keys.result, 'no JSON');
  await services.jobs.send(message);
  expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.ready', jobId });
});

test('A document that its parser refuses is not written', async () => {
  const { store } = services;
  const plan = { schema: PLAN_SCHEMA };
  await expect(writeDocument(store, work, 'a', plan, parsePlan)).rejects.toThrow(UnreadableError);
  await expect(createDocument(store, work, 'b', plan, parsePlan)).rejects.toThrow(UnreadableError);
  expect(await store.head(work, 'a')).toBeUndefined();
  expect(await store.head(work, 'b')).toBeUndefined();
});

describe('Dead letters that the queue itself has moved', () => {
  test('An idle worker reports the job of a dead letter once, and leaves the letter', async () => {
    const { jobId, message } = await upload();
    await services.deadLetters.send(message);
    const report = createDeadLetterReporter(services);
    await report(context());
    expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.failed', jobId });
    await report(context());
    // Another worker, which has not examined the letter yet.
    await createDeadLetterReporter(services)(context());
    expect((await services.events.counts()).visible).toBe(0);
    expect((await services.deadLetters.counts()).visible).toBe(1);
  });

  test('A dead letter is not reported while the queue holds work', async () => {
    const { keys, message } = await planned();
    await services.deadLetters.send(message);
    await createDeadLetterReporter(services)(context());
    expect(await services.store.head(work, keys.result)).toBeUndefined();
  });

  test('A dead letter is removed if only publishing was left to do', async () => {
    const { jobId, keys } = await planned();
    expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.ready' });
    await services.store.delete(work, keys.result);
    await services.deadLetters.send(serialiseUnit(jobId, 'images'));
    await createDeadLetterReporter(services)(context());
    expect(await consumeUntilEnd()).toMatchObject({ type: 'asset.ready' });
    expect((await services.deadLetters.counts()).visible).toBe(0);
  });

  test('A dead letter that names no job stays there without a report', async () => {
    await services.deadLetters.send('no JSON');
    await createDeadLetterReporter(services)(context());
    expect((await services.events.counts()).visible).toBe(0);
    expect((await services.deadLetters.counts()).visible).toBe(1);
  });
});
