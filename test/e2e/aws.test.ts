import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';
import type { Worker } from './machine.ts';

const empty = { visible: 0, inFlight: 0, delayed: 0 };

describeWithEmulator('A worker in the cloud', () => {
  let machine: Machine;
  let worker: Worker;
  beforeAll(async () => {
    machine = await Machine.open(cloudSetting);
    worker = machine.start();
  });
  afterAll(() => machine.close());

  async function check(file: string) {
    const uploaded = await machine.upload(file);
    const asset = await machine.ready();
    expect(asset.assetId).toBe(uploaded.assetId);
    expect(await machine.check(asset, file)).toEqual([]);
    return asset;
  }

  test('makes an upload with a hard name an asset without a broken rule.', async () => {
    const name = '#2 4 Protection with PropTypes.mp4';
    const asset = await check(clip({ name, seconds: 8, size: '640x360' }));
    expect(asset.title).toBe('#2 4 Protection with PropTypes');
    expect(asset.renditions.map(({ name }) => name)).toEqual(['360p', '234p']);
  });

  test('makes one asset of an upload in parts, of which the emulator tells twice.', async () => {
    // Noise, so that a few seconds are more than a part.
    const more = ['-vf', 'noise=alls=60:allf=t', '-qp', '20'];
    const asset = await check(clip({ name: '강의 1강 – 소개.mp4', seconds: 4, more }));
    expect(asset.title).toBe('강의 1강 – 소개');
  });

  test('rejects a text file, once and with a sentence.', async () => {
    const path = join(machine.directory, 'notes.mp4');
    await writeFile(path, 'These are notes, and no video.');
    await machine.upload(path);
    // The next event: had the upload in parts been made twice, this would be its second.
    expect(await machine.event()).toMatchObject({
      type: 'asset.rejected',
      code: 'unreadable_source',
      reason: expect.stringMatching(/not a video.*again\.$/) as string,
    });
  });

  test('puts a message that nobody understands with the dead letters.', async () => {
    await machine.send('no JSON at all');
    const letters = machine.queue('DEAD_LETTER_QUEUE');
    const [letter] = await letters.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 30 });
    expect(letter).toMatchObject({ body: 'no JSON at all', receiveCount: 1 });
  });

  test('ends within seconds when it is idle and told to, and leaves nothing behind.', async () => {
    const told = performance.now();
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(performance.now() - told).toBeLessThan(10_000);
    expect(await machine.counts('JOB_QUEUE')).toEqual(empty);
    expect(await machine.counts('EVENT_QUEUE')).toEqual(empty);
    expect(machine.leftovers()).toEqual([]);
  });

  test('says nothing but its log, and in it neither an address of a source nor the account.', () => {
    const log = worker.said.join('\n');
    expect(worker.said.filter((line) => !line.startsWith('{'))).toEqual([]);
    expect(log).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\?\[redacted\]/);
    expect(log).not.toMatch(/X-Amz-|123456789012/);
  });
});
