import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';

// Slow: the same clip is encoded once for each way to be disturbed.
const file = clip({ name: 'disturbed.mp4', seconds: 70, size: '640x360' });
const quick = { VISIBILITY_SECONDS: '3', MAX_RECEIVES: '5' };

let machine: Machine;
beforeEach(async () => {
  machine = await Machine.open();
});
afterEach(() => machine.close());

async function undisturbed(): Promise<ReadonlyMap<string, Buffer>> {
  const other = await Machine.open();
  try {
    other.start();
    await other.upload(file);
    const { assetId } = await other.ready();
    return await other.published(assetId);
  } finally {
    await other.close();
  }
}

function digest(objects: ReadonlyMap<string, Buffer>): readonly string[] {
  return [...objects].map(
    ([key, bytes]) => `${key} ${bytes.toString('base64').length} ${hash(bytes)}`,
  );
}

function hash(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return sum;
}

describe('The published bytes are those of an undisturbed run', () => {
  test('when another home and two workers make them.', async () => {
    machine.start();
    machine.start();
    await machine.upload(file);
    const { assetId } = await machine.ready();
    expect(digest(await machine.published(assetId))).toEqual(digest(await undisturbed()));
  });

  test('when a worker is killed in the middle of a chunk, and another goes on.', async () => {
    const first = machine.start(quick);
    await machine.upload(file);
    await first.encodes('video-00000');
    first.kill('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    machine.start(quick);
    const { assetId } = await machine.ready();
    expect(digest(await machine.published(assetId))).toEqual(digest(await undisturbed()));
    await machine.stop();
    expect(await machine.counts('JOB_QUEUE')).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  test('when a worker is killed at each of its first steps.', async () => {
    await machine.upload(file);
    for (const event of ['job.planned', 'job.dispatched', 'unit.started', 'unit.done']) {
      const worker = machine.start(quick);
      await worker.line((line) => line.event === event || line.event === 'unit.done');
      worker.kill('SIGKILL');
      await worker.ended;
    }
    machine.start(quick);
    const { assetId } = await machine.ready();
    expect(digest(await machine.published(assetId))).toEqual(digest(await undisturbed()));
  });
});

describe('SIGTERM in the middle of a chunk', () => {
  test('gives the unit back at once, uses up none of its receives, and leaves nothing behind.', async () => {
    const worker = machine.start();
    await machine.upload(file);
    await worker.encodes('video-00000');
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    const { inFlight, delayed } = await machine.counts('JOB_QUEUE');
    expect({ inFlight, delayed }).toEqual({ inFlight: 0, delayed: 0 });
    expect(machine.leftovers()).toEqual([]);
    const next = machine.start();
    expect(await next.encodes('video-00000')).toMatchObject({ receiveCount: 1 });
    expect((await machine.ready()).durationSeconds).toBeCloseTo(70, 0);
  });
});
