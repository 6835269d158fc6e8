import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';
import type { Worker } from './machine.ts';

const empty = { visible: 0, inFlight: 0, delayed: 0 };

describeWithEmulator('A worker with S3 and SQS', () => {
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

  test('An upload with spaces and a hash in its name becomes an asset that passes the HLS checker', async () => {
    const name = '#2 4 Protection with PropTypes.mp4';
    const asset = await check(clip({ name, seconds: 8, size: '640x360' }));
    expect(asset.title).toBe('#2 4 Protection with PropTypes');
    expect(asset.renditions.map(({ name }) => name)).toEqual(['360p', '234p']);
  });

  test('A multipart upload, of which the emulator notifies twice, becomes one asset', async () => {
    // With noise, a few seconds are larger than one part.
    const more = ['-vf', 'noise=alls=60:allf=t', '-qp', '20'];
    const asset = await check(clip({ name: '강의 1강 – 소개.mp4', seconds: 4, more }));
    expect(asset.title).toBe('강의 1강 – 소개');
  });

  test('A text file in S3 is rejected once, with a sentence', async () => {
    const path = join(machine.directory, 'notes.mp4');
    await writeFile(path, 'These are notes, and no video.');
    await machine.upload(path);
    // If the multipart upload had become two assets, its second event would come now.
    expect(await machine.event()).toMatchObject({
      type: 'asset.rejected',
      code: 'unreadable_source',
      reason: expect.stringMatching(/not a video.*again\.$/) as string,
    });
  });

  test('A malformed message becomes a dead letter in SQS', async () => {
    await machine.send('no JSON at all');
    const letters = machine.queue('DEAD_LETTER_QUEUE');
    const [letter] = await letters.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 30 });
    expect(letter).toMatchObject({ body: 'no JSON at all', receiveCount: 1 });
  });

  test('An idle worker ends within seconds of SIGTERM, and leaves nothing behind', async () => {
    const stoppedAt = performance.now();
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(10_000);
    expect(await machine.counts('JOB_QUEUE')).toEqual(empty);
    expect(await machine.counts('EVENT_QUEUE')).toEqual(empty);
    expect(machine.leftovers()).toEqual([]);
  });

  test('A worker writes only its log, which contains neither the URL of a source nor the account number', () => {
    const log = worker.output.join('\n');
    expect(worker.output.filter((line) => !line.startsWith('{'))).toEqual([]);
    expect(log).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\?\[redacted\]/);
    expect(log).not.toMatch(/X-Amz-|123456789012/);
  });
});
