import { readFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { collectGarbage, findGarbage, protectVersion } from '../../../core/catalog/garbage.ts';
import { readPointer } from '../../../core/catalog/pointer.ts';
import { inspect, repair } from '../../../core/catalog/reconcile.ts';
import { createLog } from '../../../core/log.ts';
import { TransientError } from '../../../core/model/errors.ts';
import { GRACE_DAYS } from '../../../core/model/garbage.ts';
import { assetIdOf, jobIdOf } from '../../../core/model/ids.ts';
import { jobKeys, pointerKey, unreferencedKey, versionKey } from '../../../core/model/keys.ts';
import { serialiseJob } from '../../../core/model/message.ts';
import type { ObjectSummary } from '../../../core/storage/ports.ts';
import { reconciledText } from '../../../scripts/cli/reconciled.ts';
import { handleMessage } from '../../../worker/pipeline.ts';
import type { Services } from '../../../worker/services.ts';
import { clip } from '../../e2e/clips.ts';
import { openTestBackend } from '../../local-backend.ts';
import { putJson } from '../../put-json.ts';

const file = clip({ name: 'garbage.mp4', seconds: 1, size: '160x90', sound: false });
const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(20)) as [string, string, string];
const [OLD, NEW] = ['0', '1'].map((digit) => digit.repeat(16)) as [string, string];

let services: Services;
beforeEach(async () => {
  const opened = await openTestBackend();
  services = opened.services({ X264_PRESET: 'ultrafast', LADDER: '234p' });
  return opened.close;
});

const inDays = (days: number) => new Date(Date.now() + days * 24 * 3_600_000);
const check = async (now: Date) =>
  repair(services, await inspect(services, now), undefined, now).then(({ freed }) => freed);

/** Lists the keys of the delivery bucket. */
async function delivered(): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of services.store.list(services.config.DELIVERY_BUCKET, '')) {
    keys.push(key);
  }
  return keys;
}

async function put(assetId: string, version: string): Promise<void> {
  const { store, config } = services;
  for (const path of ['234p/00000.ts', 'asset.json']) {
    await store.put(config.DELIVERY_BUCKET, versionKey(assetId, version, path), path);
  }
}

async function name(assetId: string, version: string): Promise<void> {
  const headers = { metadata: { version, planned: '' } };
  const { store, config } = services;
  await store.put(config.DELIVERY_BUCKET, pointerKey(assetId), `#EXTM3U ${version}`, headers);
}

/** Writes a replaced version, the files of a rejected job, and published versions. */
async function library(): Promise<void> {
  await put(A, OLD);
  await put(A, NEW);
  await name(A, NEW);
  await put(B, OLD);
  await put(C, OLD);
  await name(C, OLD);
}

test('Unreferenced versions are removed when their time has passed, and referenced versions stay', async () => {
  await library();
  const all = await delivered();
  expect(await check(inDays(0))).toEqual([]);
  expect(await check(inDays(GRACE_DAYS - 1))).toEqual([]);
  expect(await delivered()).toEqual(all);
  const gone = [A, B].map((assetId) => ({ assetId, version: OLD, objects: 2, bytes: 23 }));
  expect(await check(inDays(GRACE_DAYS + 1))).toEqual(gone);
  const left = all.filter((key) => !/^v\/(a+|b+)\/0+\//.test(key));
  expect(await delivered()).toEqual(left);
  expect(await check(inDays(100))).toEqual([]);
  expect(await delivered()).toEqual(left);
  const notes = [];
  for await (const { key } of services.store.list(services.config.WORK_BUCKET, '')) notes.push(key);
  expect(notes).toEqual([]);
});

test('The time of a version starts again after it was referenced again', async () => {
  await library();
  await check(inDays(0));
  await name(A, OLD);
  expect(await check(inDays(GRACE_DAYS + 1))).toMatchObject([{ assetId: B }]);
  await name(A, NEW);
  expect(await check(inDays(GRACE_DAYS + 2))).toEqual([]);
  expect(await check(inDays(2 * GRACE_DAYS + 3))).toMatchObject([{ assetId: A, version: OLD }]);
});

test('An inspection that ended before a version is published does not lead to its removal', async () => {
  await library();
  await check(inDays(0));
  const late = inDays(GRACE_DAYS + 1);
  const found = await findGarbage(services, new Set(), late);
  expect(found.due).toHaveLength(2);
  await protectVersion(services, { assetId: A, version: OLD });
  expect(await collectGarbage(services, found, late)).toMatchObject([{ assetId: B }]);
  expect(await check(inDays(GRACE_DAYS - 1))).toEqual([]);
});

test('A version that is being removed is neither published nor removed by another process', async () => {
  await library();
  await check(inDays(0));
  const { store } = services;
  const held: unknown[] = [];
  const watched: Services = {
    ...services,
    store: Object.assign(Object.create(store) as typeof store, {
      delete: async (bucket: string, key: string) => {
        if (bucket === services.config.DELIVERY_BUCKET) {
          const [, assetId = '', version = ''] = key.split('/');
          held.push(
            await protectVersion(services, { assetId, version }).catch((error: unknown) => error),
          );
          held.push(await check(inDays(0)));
        }
        return store.delete(bucket, key);
      },
    }),
  };
  const late = inDays(GRACE_DAYS + 1);
  const freed = await collectGarbage(watched, await findGarbage(services, new Set(), late), late);
  expect(freed).toHaveLength(2);
  expect(held).toHaveLength(8);
  for (const one of held) {
    if (Array.isArray(one)) expect(one).toEqual([]);
    else expect(one).toBeInstanceOf(TransientError);
  }
});

test('An unreadable note stops neither a check nor a publication, and is replaced', async () => {
  await library();
  await check(inDays(0));
  const { store, config } = services;
  const damaged = { assetId: A, version: OLD };
  await store.put(config.WORK_BUCKET, unreferencedKey(damaged), '{');
  // The first check drops the note, and the next one writes a new one.
  for (const days of [1, 2]) expect(await check(inDays(days))).toEqual([]);
  expect(await check(inDays(GRACE_DAYS + 1))).toMatchObject([{ assetId: B }]);
  await store.put(config.WORK_BUCKET, unreferencedKey(damaged), '{');
  await protectVersion(services, damaged);
  expect(await check(inDays(GRACE_DAYS - 1))).toEqual([]);
  expect(await check(inDays(GRACE_DAYS + 1))).toMatchObject([damaged]);
});

test('A later removal completes one that was interrupted', async () => {
  await library();
  await check(inDays(0));
  const { store } = services;
  const dying: Services = {
    ...services,
    store: Object.assign(Object.create(store) as typeof store, {
      delete: (bucket: string, key: string) =>
        key.endsWith('.json') ? Promise.reject(new Error('killed')) : store.delete(bucket, key),
    }),
  };
  const late = inDays(GRACE_DAYS + 1);
  const found = await findGarbage(services, new Set(), late);
  await expect(collectGarbage(dying, found, late)).rejects.toThrow('killed');
  expect(await check(inDays(0.01))).toEqual([]);
  expect(await check(inDays(1))).toMatchObject([{ assetId: A, version: OLD, objects: 1 }]);
});

test('A listing skips the objects of a version after the first thousand', async () => {
  const keys = [
    ...Array.from({ length: 5000 }, (_, n) => versionKey(A, OLD, `1080p/${10_000 + n}.ts`)),
    versionKey(A, NEW, 'asset.json'),
    pointerKey(A),
    versionKey(B, OLD, 'asset.json'),
  ].sort();
  let read = 0;
  const { store, config } = services;
  const list: typeof store.list = async function* (bucket, prefix, after = '') {
    if (bucket !== config.DELIVERY_BUCKET) return;
    for (const key of keys) {
      if (!key.startsWith(prefix) || key <= after) continue;
      read += 1;
      yield { key } as ObjectSummary;
    }
  };
  await name(A, NEW);
  const place = { config, store: Object.assign(Object.create(store) as typeof store, { list }) };
  const { found } = await findGarbage(place, new Set(), inDays(0));
  expect(found).toEqual([
    { assetId: A, version: OLD },
    { assetId: B, version: OLD },
  ]);
  expect(read).toBe(1003);
});

async function upload() {
  const { store, jobs, config } = services;
  const bucket = config.SOURCE_BUCKET;
  const { etag } = await store.put(bucket, 'clip.mp4', readFileSync(file));
  const source = { bucket, key: 'clip.mp4', etag };
  const [message] = await jobs.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 60 });
  await jobs.acknowledge(message?.receipt ?? '');
  const assetId = assetIdOf(source);
  return { assetId, jobId: jobIdOf(assetId, {}), message: serialiseJob({ source, options: {} }) };
}

/** Handles all messages of the job queue. */
async function work(worker: Services): Promise<void> {
  const context = { log: createLog('silent'), signal: new AbortController().signal };
  for (;;) {
    const receive = { max: 1, waitSeconds: 0, visibilitySeconds: 600 };
    const [message] = await services.jobs.receive(receive);
    if (!message) return;
    await handleMessage(worker, message.body, context);
    await services.jobs.acknowledge(message.receipt);
  }
}

test('Checks at every write of a job, days apart, do not harm it', async () => {
  const { assetId, message } = await upload();
  const { store, jobs } = services;
  let days = 0;
  const watched: Services = {
    ...services,
    store: Object.assign(Object.create(store) as typeof store, {
      put: async (...object: Parameters<typeof store.put>) => {
        days += GRACE_DAYS + 1;
        const found = await inspect(services, inDays(days));
        await collectGarbage(services, found.garbage, inDays(days));
        return store.put(...object);
      },
    }),
  };
  await jobs.send(message);
  await work(watched);
  expect(days).toBeGreaterThan(8 * GRACE_DAYS);
  const { version = '' } = (await readPointer(services, assetId)) ?? {};
  const before = await delivered();
  expect(before).toContain(versionKey(assetId, version, 'asset.json'));
  for (const more of [1, 20, 40]) expect(await check(inDays(days + more))).toEqual([]);
  expect(await delivered()).toEqual(before);
});

test('A failed job that is requested again makes its files again after their removal', async () => {
  const { assetId, jobId, message } = await upload();
  const { store, jobs, config } = services;
  await jobs.send(message);
  await work(services);
  const all = await delivered();
  await store.delete(config.DELIVERY_BUCKET, pointerKey(assetId));
  await putJson(store, config.WORK_BUCKET, jobKeys(jobId).result, {
    ...{ type: 'asset.failed', jobId, assetId, code: 'failed', reason: 'It failed.' },
    source: { bucket: config.SOURCE_BUCKET, key: 'clip.mp4' },
  });
  await check(inDays(0));
  expect(await check(inDays(GRACE_DAYS + 1))).toMatchObject([{ assetId, objects: all.length - 1 }]);
  // Another process removes more of its files meanwhile.
  const [, , version = ''] = all[0]?.split('/') ?? [];
  const note = unreferencedKey({ assetId, version });
  await putJson(store, config.WORK_BUCKET, note, { since: new Date(), isRemoving: true });
  await jobs.send(message);
  await expect(work(services)).rejects.toThrow(TransientError);
  expect(await delivered()).toEqual([]);
  await store.delete(config.WORK_BUCKET, note);
  await work(services);
  expect(await delivered()).toEqual(all);
});

test('The text of a check says what is kept and what was removed', async () => {
  await library();
  const now = inDays(0);
  await check(now);
  const late = inDays(GRACE_DAYS + 1);
  const found = { place: 'data', ...(await inspect(services, late)) };
  expect(reconciledText(found, late)).toMatch(
    /\n2 versions are unused, left by replaced videos or by jobs that made none: 0 found now, 0 kept until 14 days after they were found, 2 due for removal\.\n$/,
  );
  const settled = await repair(services, found, undefined, late);
  expect(reconciledText({ ...found, ...settled }, late)).toMatch(
    /\n2 versions removed: 4 files, 0\.0 MB\.\n {2}v\/a+\/0+\/ {2}2 files\n {2}v\/b+\/0+\/ {2}2 files\n$/,
  );
});
