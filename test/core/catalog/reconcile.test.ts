import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { inspect, repair } from '../../../core/catalog/reconcile.ts';
import { createLog } from '../../../core/log.ts';
import { assetIdOf, jobIdOf } from '../../../core/model/ids.ts';
import { jobKeys, pointerKey } from '../../../core/model/keys.ts';
import { STALLED_MILLISECONDS } from '../../../core/model/lost-work.ts';
import { serialiseJob, serialiseReconcile, serialiseUnit } from '../../../core/model/message.ts';
import { reconciledText } from '../../../scripts/cli/reconciled.ts';
import { handleMessage } from '../../../worker/pipeline.ts';
import type { Services } from '../../../worker/services.ts';
import { openTestBackend } from '../../local-backend.ts';
import { putJson } from '../../put-json.ts';
import { run } from '../../scripts/aws/run.ts';
import { examplePlan } from '../../worker/plan/example.ts';

let data: string;
let services: Services;
beforeEach(async () => {
  const opened = await openTestBackend();
  ({ data } = opened);
  services = opened.services();
  return opened.close;
});

const soon = () => new Date(Date.now() + STALLED_MILLISECONDS);

/** Receives all messages of the queues of work, and returns them parsed. */
async function taken(): Promise<readonly string[]> {
  const { jobs } = services;
  const bodies: string[] = [];
  for (;;) {
    const messages = await jobs.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 60 });
    if (messages.length === 0) return bodies.sort();
    for (const { receipt, body } of messages) {
      bodies.push(body);
      await jobs.acknowledge(receipt);
    }
  }
}

async function upload(key: string) {
  const bucket = services.config.SOURCE_BUCKET;
  const { etag } = await services.store.put(bucket, key, key);
  const source = { bucket, key, etag };
  const assetId = assetIdOf(source);
  return { source, assetId, jobId: jobIdOf(assetId, {}) };
}

/** Makes jobs in every state and no message. Returns the messages that are missing. */
async function lostQueue(): Promise<readonly string[]> {
  const { store, config } = services;
  const write = (key: string, value: unknown) => putJson(store, config.WORK_BUCKET, key, value);
  const unseen = await upload('#2 4 강의.mp4');

  const expired = await upload('published long ago.mp4');
  await store.put(config.DELIVERY_BUCKET, pointerKey(expired.assetId), '#EXTM3U');

  const rejected = await upload('rejected.mp4');
  await write(jobKeys(rejected.jobId).result, {});

  const halfDone = await upload('half done.mp4');
  const { jobId, assetId, source } = halfDone;
  const plan = { ...examplePlan({ seconds: 60 }), jobId, assetId };
  await write(jobKeys(jobId).plan, { ...plan, source: { ...plan.source, ...source } });
  const [first, ...missing] = plan.units.map(({ name }) => name);
  await write(jobKeys(jobId).marker(first ?? ''), {});
  await write(jobKeys(jobId).dispatched, {});

  const unpublished = await upload('unpublished.mp4');
  const other = { jobId: unpublished.jobId, assetId: unpublished.assetId };
  const made = { ...examplePlan(), ...other };
  const from = { ...made.source, ...unpublished.source };
  await write(jobKeys(other.jobId).plan, { ...made, source: from });
  for (const { name } of made.units) await write(jobKeys(other.jobId).marker(name), {});

  expect(await taken()).toHaveLength(5);
  return [
    serialiseJob({ source: unseen.source, options: {} }),
    ...missing.map((unit) => serialiseUnit(jobId, unit)),
    serialiseJob({ source: unpublished.source, options: {} }),
  ].sort();
}

test('A repair sends the messages that a lost queue has forgotten, each of them once', async () => {
  const missed = await lostQueue();
  expect((await inspect(services)).lost).toEqual([]);
  const found = await inspect(services, soon());
  expect(found).toMatchObject({ held: 0, open: missed.length });
  expect(await repair(services, found)).toEqual({ sent: found.lost, freed: [] });
  expect(await inspect(services, soon())).toMatchObject({ held: missed.length, lost: [] });
  expect(await taken()).toEqual(missed);
});

test('The text of a check lists the lost work, with file names at the end of the lines', async () => {
  await lostQueue();
  const now = soon();
  const found = { place: 'Stage dev', ...(await inspect(services, now)) };
  const [unknown, ...sent] = found.lost;
  const text = reconciledText({ ...found, sent }, now);
  expect(text.split('\n').slice(0, 2)).toEqual([
    'Stage dev: 5 pieces of work to be done, 0 messages in the queue.',
    '5 pieces lost, 4 sent again:',
  ]);
  expect(text).toMatch(/^ {2}video-00001 {2}10 min ago {2}[0-9a-f]{20} {2}half done\.mp4$/m);
  expect(unknown?.kind).toBe('upload');
  expect(text).toMatch(
    /Upload their files again\.\n {2}upload {7}10 min ago {2}[0-9a-f]{20} {2}#2 4 강의\.mp4\nNo unused version of a video is stored\.\n$/,
  );
  expect(reconciledText(found, now)).toMatch(
    /\n5 pieces lost, nothing sent:\n(?: {2}.*\n){5}No unused/,
  );
  expect(reconciledText({ ...found, lost: [] }, now)).toMatch(/\nNothing is lost\.\nNo unused/);
});

test('A job whose request cannot be recovered is reported, and the other work is sent', async () => {
  await upload('talk.mp4');
  await taken();
  const jobId = 'c'.repeat(20);
  await services.store.put(services.config.WORK_BUCKET, jobKeys(jobId).plan, 'no JSON');
  const found = await inspect(services, soon());
  const { lost } = found;
  const { sent } = await repair(services, found);
  expect(lost.filter((one) => !sent.includes(one))).toMatchObject([{ kind: 'job', jobId }]);
  expect(await taken()).toHaveLength(1);
});

test('A worker does not count the message that asks for a check as that of a piece of work', async () => {
  await upload('talk.mp4');
  await taken();
  const quiet = Date.now() - STALLED_MILLISECONDS;
  const { store, jobs } = services;
  const old: Services = {
    ...services,
    store: {
      ...store,
      list: async function* (...which) {
        for await (const one of store.list(...which)) {
          yield { ...one, lastModified: new Date(quiet) };
        }
      },
    },
  };
  await jobs.send(serialiseReconcile());
  const [asked] = await jobs.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 60 });
  const context = { log: createLog('silent'), signal: new AbortController().signal };
  await handleMessage(old, asked?.body ?? '', context);
  expect((await jobs.counts()).visible).toBe(1);
  // In the second check, the upload has its message.
  await handleMessage(old, asked?.body ?? '', context);
  expect((await jobs.counts()).visible).toBe(1);
});

test('The command checks the given data folder, and does not make one', async () => {
  await upload('talk.mp4');
  const found = await run('check', ['--data', data, '--plan', '--json']);
  expect(found.json).toEqual([
    {
      ...{ place: data, held: 1, open: 1, lost: [] },
      garbage: { found: [], waiting: [], due: [], settled: [] },
    },
  ]);
  const none = join(data, 'none');
  const { code, err } = await run('check', ['--data', none]);
  expect([code, err]).toEqual([
    ...[2, `"${none}" is no data folder: it has no index.sqlite.\nSee ./scripts/check --help.\n`],
  ]);
  expect(existsSync(none)).toBe(false);
});
