import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { returnDeadLetters } from '../../core/storage/dead-letter-queue.ts';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';

let machine: Machine;
beforeEach(async () => {
  machine = await Machine.open();
});
afterEach(() => machine.close());

const file = clip({ name: 'short.mp4', seconds: 3, size: '320x240', sound: false });

/** Makes a script that replaces ffmpeg. */
function program(instead: string): string {
  const path = join(machine.directory, 'ffmpeg');
  writeFileSync(path, `#!/bin/sh\n${instead}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('A unit that always fails is retried with growing delays, reported with evidence, and ready after its dead letter is returned', async () => {
  const ffmpeg = program('echo "[error] No space left on device" >&2; exit 1');
  const worker = machine.start({ FFMPEG: ffmpeg, MAX_FAILURES: '3' });
  const { jobId } = await machine.upload(file);
  const failed = await machine.event();
  expect(failed).toMatchObject({ type: 'asset.failed', code: 'failed' });
  const later = await worker.line(
    ({ event, outcome, failures }) =>
      event === 'message.outcome' && failures === 1 && outcome !== undefined,
  );
  expect(later).toMatchObject({
    outcome: { kind: 'resend', failures: 2, afterSeconds: 2 },
    receiveCount: 1,
  });
  expect((await machine.event()).type).toBe('asset.failed');
  worker.kill('SIGTERM');
  await worker.ended;
  expect((await machine.counts('DEAD_LETTER_QUEUE')).visible).toBe(2);
  const evidence = await machine.backend.store.get(
    machine.env.WORK_BUCKET,
    `jobs/${jobId}/failures/video-00000.json`,
  );
  expect(evidence && (await buffer(evidence.body)).toString()).toContain('No space left on device');

  const letters = machine.queue('DEAD_LETTER_QUEUE');
  expect(await returnDeadLetters(letters, machine.queue('JOB_QUEUE'))).toBe(2);
  machine.start();
  expect((await machine.ready()).durationSeconds).toBeCloseTo(3, 1);
});

test('A malformed message becomes a dead letter at once, and the worker continues with the next message', async () => {
  machine.start();
  await machine.send(
    '{"type":"job","source":{"bucket":"","key":""},"options":{"ladder":["9999p"]}}',
  );
  await machine.send('no JSON at all');
  await machine.upload(file);
  await machine.ready();
  expect((await machine.counts('DEAD_LETTER_QUEUE')).visible).toBe(2);
});

test('An ffmpeg that hangs and ignores SIGTERM is killed, and its unit is retried', async () => {
  const worker = machine.start({
    FFMPEG: program('trap "" TERM; while :; do sleep 0.1; done'),
    STALL_SECONDS: '1',
  });
  await machine.upload(file);
  const given = await worker.line(
    ({ level, event }) => event === 'message.outcome' && level === 'warn',
  );
  expect(given).toMatchObject({ outcome: { kind: 'resend' }, err: { type: 'TransientError' } });
});

test('A last receive that finds all units done publishes the asset, and is no failure', async () => {
  machine.start();
  const { jobId, assetId } = await machine.upload(file);
  await machine.ready();
  await machine.stop();
  // The state that a worker leaves when it dies after its last marker.
  const { store } = machine.backend;
  await store.delete(machine.env.WORK_BUCKET, `jobs/${jobId}/result.json`);
  await store.delete(machine.env.DELIVERY_BUCKET, `v/${assetId}/index.m3u8`);
  await machine.send(JSON.stringify({ type: 'unit', jobId, unit: 'video-00000' }));
  const jobs = machine.queue('JOB_QUEUE');
  const [message] = await jobs.receive({ max: 1, waitSeconds: 1, visibilitySeconds: 60 });
  await jobs.release(message?.receipt ?? '');
  machine.start({ MAX_RECEIVES: '2' });
  expect(await machine.ready()).toMatchObject({ assetId });
  await machine.stop();
  expect((await machine.counts('DEAD_LETTER_QUEUE')).visible).toBe(0);
  expect(await machine.read(`v/${assetId}/index.m3u8`)).not.toHaveLength(0);
});

test('Workers that are killed six times during one unit do not fail the unit', async () => {
  const { assetId } = await machine.upload(file);
  const slow = { FFMPEG: program('exec sleep 20'), VISIBILITY_SECONDS: '3' };
  const jobs = machine.queue('JOB_QUEUE');
  let images = '';
  for (let kills = 1; kills <= 6; kills += 1) {
    const worker = machine.start(slow);
    const started = await worker.line(({ event }) => event === 'ffmpeg.started');
    expect(started).toMatchObject({ receiveCount: kills, failures: 0 });
    worker.kill('SIGKILL');
    await worker.ended;
    // Hide the other unit, so that all workers are killed during the same one.
    if (kills > 1) continue;
    const [other] = await jobs.receive({ max: 1, waitSeconds: 1, visibilitySeconds: 600 });
    images = other?.receipt ?? '';
  }
  await jobs.release(images);
  machine.start({ VISIBILITY_SECONDS: '3' });
  expect(await machine.ready()).toMatchObject({ assetId });
  await machine.stop();
  expect((await machine.counts('DEAD_LETTER_QUEUE')).visible).toBe(0);
});

test('A message whose workers all die is reported before the queue itself moves it to the dead letters', async () => {
  const { jobId } = await machine.upload(file);
  const quick = { VISIBILITY_SECONDS: '3', MAX_RECEIVES: '2' };
  const first = machine.start(quick);
  await first.line(({ event }) => event === 'job.planned');
  first.kill('SIGKILL');
  await first.ended;
  const second = machine.start({ ...quick, LOG_LEVEL: 'trace' });
  expect(await machine.event()).toMatchObject({ type: 'asset.failed', jobId });
  second.kill('SIGTERM');
  await second.ended;
  expect((await machine.counts('DEAD_LETTER_QUEUE')).visible).toBe(1);
});
