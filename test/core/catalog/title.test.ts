import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readAsset } from '../../../core/catalog/assets.ts';
import { deletePrefix } from '../../../core/catalog/deletion.ts';
import { readPointer, setTitle } from '../../../core/catalog/pointer.ts';
import { createLog } from '../../../core/log.ts';
import { parseAssetEvent } from '../../../core/model/asset.ts';
import type { AssetEvent } from '../../../core/model/asset.ts';
import { assetIdOf } from '../../../core/model/ids.ts';
import { pointerKey, titleKey } from '../../../core/model/keys.ts';
import { serialiseJob } from '../../../core/model/message.ts';
import type { JobOptions } from '../../../core/model/message.ts';
import type { LocalBackend } from '../../../core/storage/local/backend.ts';
import { submit } from '../../../scripts/files/submit.ts';
import { handleMessage } from '../../../worker/pipeline.ts';
import type { Services } from '../../../worker/services.ts';
import { clip } from '../../e2e/clips.ts';
import { openTestBackend } from '../../local-backend.ts';

const file = clip({ name: 'titled.mp4', seconds: 1, size: '640x360', sound: false });

let directory: string;
let backend: LocalBackend;
let services: Services;
let assetId: string;
let source: { readonly bucket: string; readonly key: string; readonly etag: string };
// All tests change the title of one asset.
beforeAll(async () => {
  const opened = await openTestBackend();
  ({ directory, backend } = opened);
  services = opened.services({ X264_PRESET: 'ultrafast', LADDER: '234p' });
  source = await upload('clip.mp4');
  assetId = assetIdOf(source);
  await work();
  return opened.close;
});

async function upload(key: string) {
  const bucket = services.config.SOURCE_BUCKET;
  const { etag } = await services.store.put(bucket, key, readFileSync(file));
  return { bucket, key, etag };
}

const context = { log: createLog('silent'), signal: new AbortController().signal };

/** The same worker with an encoder that cannot run. */
const withoutEncoder = (): Services => ({
  ...services,
  config: { ...services.config, FFMPEG: join(directory, 'no-ffmpeg') },
});

/** Handles all messages of the job queue, and returns the reported events. */
async function work(worker = services): Promise<readonly AssetEvent[]> {
  const { jobs, events } = services;
  const receive = { max: 1, waitSeconds: 0, visibilitySeconds: 60 };
  for (;;) {
    const [message] = await jobs.receive(receive);
    if (!message) break;
    await handleMessage(worker, message.body, context);
    await jobs.acknowledge(message.receipt);
  }
  const told: AssetEvent[] = [];
  for (;;) {
    const [event] = await events.receive(receive);
    if (!event) return told;
    told.push(parseAssetEvent(JSON.parse(event.body)));
    await events.acknowledge(event.receipt);
  }
}

const ask = (options: JobOptions) => services.jobs.send(serialiseJob({ source, options }));

/** Lists the files of the delivery bucket without the pointer: key, ETag and time. */
async function files(): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const one of services.store.list(services.config.DELIVERY_BUCKET, '')) {
    const { key, etag, lastModified } = one;
    if (key !== pointerKey(assetId)) found.push(`${key} ${etag} ${lastModified.toISOString()}`);
  }
  return found;
}

const read = () => readAsset(services, assetId);

test('A job that is requested with another title publishes the title and encodes nothing again', async () => {
  const before = await files();
  expect(await read()).toMatchObject({ title: 'clip' });
  await ask({ title: ' 강의 "1" ' });
  expect(await work(withoutEncoder())).toMatchObject([
    { type: 'asset.ready', title: '강의 "1"', spentSeconds: 0 },
  ]);
  expect(await files()).toEqual(before);
  expect(await read()).toMatchObject({ title: '강의 "1"' });
  expect((await readPointer(services, assetId))?.playlist).toContain('VALUE="강의 ”1”"');
  // Neither a job without a title nor one with the same title is reported again.
  await ask({});
  await ask({ title: '강의 "1"' });
  expect(await work(withoutEncoder())).toEqual([]);
  expect(await read()).toMatchObject({ title: '강의 "1"' });
});

test('A title is published without encoding after the documents of the job have expired', async () => {
  const before = await files();
  await ask({ title: 'Lecture 1' });
  await work();
  await deletePrefix(services.store, services.config.WORK_BUCKET, '');
  await ask({});
  expect(await work()).toMatchObject([{ type: 'asset.ready', title: 'Lecture 1' }]);
  await deletePrefix(services.store, services.config.WORK_BUCKET, '');
  await ask({ title: 'Lecture 2' });
  expect(await work()).toMatchObject([{ type: 'asset.ready', title: 'Lecture 2' }]);
  expect(await read()).toMatchObject({ title: 'Lecture 2' });
  expect(await files()).toEqual(before);
});

test('A title that is set while a job runs is the one that the job publishes', async () => {
  const other = assetIdOf(await upload('other.mp4'));
  await setTitle(services, other, 'Lecture 1');
  expect(await work()).toMatchObject([{ assetId: other, title: 'Lecture 1' }]);
  expect(await readPointer(services, other)).toMatchObject({ title: 'Lecture 1' });
});

test('The title that was written last applies everywhere, even if its writer was the first at the pointer', async () => {
  const { store, config } = services;
  let isFirst = true;
  const put: typeof store.put = async (bucket, key, ...rest) => {
    if (bucket === config.DELIVERY_BUCKET && isFirst) {
      isFirst = false;
      await setTitle(services, assetId, 'second');
    }
    return store.put(bucket, key, ...rest);
  };
  const slow = Object.assign(Object.create(store) as typeof store, { put });
  await setTitle({ store: slow, config }, assetId, 'first');
  expect(await read()).toMatchObject({ title: 'second' });
});

test('A worker that is killed at any write loses no title, and reports it', async () => {
  const before = await files();
  for (let write = 0, more = true; more; write += 1) {
    const title = `Take ${write}`;
    await ask({ title });
    let left = write;
    const count = () => {
      left -= 1;
      if (left < 0) throw new Error('The worker was killed.');
    };
    const { store, events } = services;
    const cut = {
      ...services,
      store: Object.assign(Object.create(store) as typeof store, {
        put: (...object: Parameters<typeof store.put>) => (count(), store.put(...object)),
        delete: (...object: Parameters<typeof store.delete>) => (count(), store.delete(...object)),
      }),
      events: Object.assign(Object.create(events) as typeof events, {
        send: (...message: Parameters<typeof events.send>) => (count(), events.send(...message)),
      }),
    };
    const [message] = await services.jobs.receive({
      ...{ max: 1, waitSeconds: 0, visibilitySeconds: 60 },
    });
    const handled = handleMessage(cut, message?.body ?? '', context);
    more = await handled.then(
      () => false,
      () => true,
    );
    await handleMessage(withoutEncoder(), message?.body ?? '', context);
    await services.jobs.acknowledge(message?.receipt ?? '');
    const told = await work(withoutEncoder());
    expect(told.at(-1)).toMatchObject({ type: 'asset.ready', title });
    expect(await read()).toMatchObject({ title });
    expect(await files()).toEqual(before);
    if (!more) expect(write).toBeGreaterThan(4);
  }
  expect(await services.store.head(services.config.WORK_BUCKET, titleKey(assetId))).toBeDefined();
});

test('A repeated upload restores its title after it was changed elsewhere', async () => {
  const again = () =>
    submit(
      ...([backend, services.config] as const),
      { file, key: 'again.mp4', title: 'First' },
      () => undefined,
      context.signal,
    );
  const uploaded = await again();
  await work();
  await setTitle(services, uploaded.assetId, 'Second');
  expect(await again()).toEqual(uploaded);
  await work(withoutEncoder());
  expect(await readPointer(services, uploaded.assetId)).toMatchObject({ title: 'First' });
});

test('A new title does not restore a version that a later job has replaced', async () => {
  const first = await read();
  await ask({ ladder: ['360p'] });
  const [second] = await work();
  const { version } = (await read()) ?? {};
  expect(first?.version).not.toBe(version);
  expect(second).toMatchObject({ type: 'asset.ready', version });
  await ask({ title: 'Lecture 1' });
  expect(await work(withoutEncoder())).toMatchObject([
    { type: 'asset.ready', title: 'Lecture 1', version },
  ]);
  expect(await read()).toMatchObject({ title: 'Lecture 1', version });
});
