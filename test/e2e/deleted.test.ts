import { afterEach, describe, expect, test } from 'vitest';
import { remove } from '../../studio/server/actions.ts';
import { LibraryReader } from '../../studio/server/library.ts';
import { describeWithEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';

const file = clip({ name: 'deleted.mp4', seconds: 8, size: '320x180' });
const nothing = { visible: 0, inFlight: 0, delayed: 0 };

let machine: Machine;
afterEach(() => machine.close());

async function keys(): Promise<readonly string[]> {
  const { SOURCE_BUCKET, WORK_BUCKET, DELIVERY_BUCKET } = machine.env;
  const found: string[] = [];
  for (const bucket of [SOURCE_BUCKET, WORK_BUCKET, DELIVERY_BUCKET]) {
    for await (const { key } of machine.backend.store.list(bucket, '')) found.push(key);
  }
  return found;
}

async function deletedAtWork(): Promise<void> {
  const first = machine.start();
  const second = machine.start();
  const { assetId, jobId } = await machine.upload(file);
  await Promise.race([first, second].map((worker) => worker.encodes('video-00000')));
  const catalog = { store: machine.backend.store, config: machine.env };
  const library = new LibraryReader(catalog, '');
  const entry = (await library.read()).find(({ item }) => item.id === assetId);
  if (entry?.item.state !== 'working') throw new Error('The item is not being worked on.');
  await remove(catalog, entry, async () => undefined);
  // Wait until every unit has ended.
  await expect.poll(() => machine.counts('JOB_QUEUE'), { timeout: 60_000 }).toEqual(nothing);
  await machine.stop();
  expect(await keys()).toEqual([`deleted/assets/${assetId}.json`, `deleted/jobs/${jobId}.json`]);
  expect(await machine.counts('DEAD_LETTER_QUEUE')).toEqual(nothing);
  expect(await machine.counts('EVENT_QUEUE')).toEqual(nothing);
  expect(machine.leftovers()).toEqual([]);
}

async function uploadedAgain(): Promise<void> {
  machine.start();
  const { assetId } = await machine.upload(file);
  expect(await machine.ready()).toMatchObject({ assetId });
}

const title =
  'An item that is deleted while its units are encoded leaves only marks, and becomes an asset when uploaded again';

describe('Local backend', () => {
  test(title, async () => {
    machine = await Machine.open();
    await deletedAtWork();
    await uploadedAgain();
  });
});

describeWithEmulator('S3 and SQS', () => {
  test(title, async () => {
    machine = await Machine.open(cloudSetting);
    await deletedAtWork();
    await uploadedAgain();
  });
});
