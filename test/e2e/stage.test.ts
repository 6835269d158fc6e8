import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import { Deployed, ORIGIN } from '../scripts/aws/deployed.ts';
import { run, start } from '../scripts/aws/run.ts';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';

describeWithEmulator('A stage with a worker', () => {
  let machine: Machine;
  let deployed: Deployed;
  beforeAll(async () => {
    machine = await Machine.open(cloudSetting);
    deployed = await Deployed.open('dev', machine.env);
  });
  afterAll(async () => {
    deployed.close();
    await machine.close();
  });

  const name = '#2 4 Protection with PropTypes.mp4';
  const file = clip({ name, seconds: 6, size: '640x360' });

  test('The upload command reports the asset of a video, and the rejection of a text file', async () => {
    machine.start();
    const notes = join(machine.directory, '메모.mp4');
    writeFileSync(notes, 'These are notes.');
    const uploaded = await run('upload', ['dev', file, notes]);
    const ready = {
      source: name,
      status: 'ready',
      renditions: ['360p', '234p'],
      assetId: expect.stringMatching(/^[0-9a-f]{20}$/) as unknown,
      playlist: expect.stringMatching(`^${ORIGIN}/v/[0-9a-f]{20}/index.m3u8$`) as unknown,
      durationSeconds: expect.closeTo(6, 1) as unknown,
      leftOut: [],
      elapsedSeconds: expect.any(Number) as unknown,
    };
    const code = 'unreadable_source';
    expect(uploaded.json).toHaveLength(2);
    expect(uploaded.json).toContainEqual(ready);
    expect(uploaded.json).toContainEqual({
      source: '메모.mp4',
      status: 'rejected',
      code,
      reason: expect.stringContaining('not a video') as unknown,
    });
    expect(uploaded.code).toBe(1);
    const events = [await machine.event(), await machine.event()];
    const asset = events.find((event) => event.type === 'asset.ready');
    expect(asset && (await machine.check(asset, file))).toEqual([]);

    const [status] = (await run('status', ['dev', '--json'])).json;
    expect(status).toMatchObject({
      deadLetters: 0,
      workers: { wanted: 1 },
      jobs: {
        open: { total: 0 },
        ended: {
          total: 2,
          newest: expect.arrayContaining([
            expect.objectContaining({ source: name, status: 'ready', playlist: ready.playlist }),
            expect.objectContaining({ source: '메모.mp4', status: 'rejected', code }),
          ]) as unknown,
        },
      },
    });
    await machine.stop();
  });

  test('The status command shows the percentage of a job at work', async () => {
    const slow = clip({ name: 'slow.mp4', seconds: 30, size: '1280x720' });
    await machine.upload(slow);
    const worker = machine.start({ X264_PRESET: 'slow' });
    await worker.encodes('video-00000');
    const [status] = (await run('status', ['dev', '--json'])).json;
    expect(status).toMatchObject({
      queue: { inFlight: 1 },
      jobs: {
        open: {
          total: 1,
          newest: [{ source: 'slow.mp4', unitsDone: 2, percent: expect.any(Number) as unknown }],
        },
      },
    });
    await machine.stop();
  });

  test('A waiting upload command sees a failed job become ready after its dead letters are replayed', async () => {
    const ffmpeg = join(machine.directory, 'ffmpeg');
    writeFileSync(ffmpeg, '#!/bin/sh\necho "[error] No space left on device" >&2; exit 1\n');
    chmodSync(ffmpeg, 0o755);
    await emptyQueue();
    const worker = machine.start({ FFMPEG: ffmpeg, MAX_FAILURES: '1' });
    const hopeless = clip({ name: '다시.mp4', seconds: 3, size: '320x180', sound: false });
    const failed = await run('upload', ['dev', hopeless]);
    expect(failed).toMatchObject({ code: 1, json: [{ source: '다시.mp4', status: 'failed' }] });
    // The upload fails with its first unit; wait until the worker has ended the other one, too.
    const dead = new Set<unknown>();
    await worker.line(({ event, outcome, messageId }) => {
      const { kind } = (outcome ?? {}) as { readonly kind?: string };
      if (event === 'message.outcome' && kind === 'dead') dead.add(messageId);
      return dead.size === 2;
    });
    await machine.stop();
    const listed = await run('dead-letters', ['dev', 'list']);
    expect(listed.out.match(/다시\.mp4\n.*No space left on device/g)).toHaveLength(2);

    const waiting = start('upload', ['dev', hopeless]);
    expect((await run('dead-letters', ['dev', 'replay', '--all'])).code).toBe(0);
    machine.start();
    const { code, out } = await waiting.ended;
    expect([code, JSON.parse(out)]).toMatchObject([0, { source: '다시.mp4', status: 'ready' }]);
  });

  /** Removes the messages that earlier tests have left. */
  async function emptyQueue(): Promise<void> {
    const jobs = machine.queue('JOB_QUEUE');
    for (;;) {
      const messages = await jobs.receive({ max: 10, waitSeconds: 1, visibilitySeconds: 600 });
      if (messages.length === 0) return;
      for (const { receipt } of messages) await jobs.acknowledge(receipt);
    }
  }
});
