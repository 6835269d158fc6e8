import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../core/environment.ts';
import { createLog } from '../../core/log.ts';
import { pointerKey, jobKeys } from '../../core/model/keys.ts';
import { publishWhenDone } from '../../worker/publish.ts';
import { openServices } from '../../worker/services.ts';
import type { Services } from '../../worker/services.ts';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';

// Slow: the same clip is encoded once for each kind of disturbance.
const file = clip({ name: 'disturbed.mp4', seconds: 70, size: '640x360' });
const quick = { VISIBILITY_SECONDS: '3' };

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

describe('The published bytes', () => {
  test('Two workers with another backend publish the same bytes as one undisturbed worker', async () => {
    machine.start();
    machine.start();
    await machine.upload(file);
    const { assetId } = await machine.ready();
    expect(digest(await machine.published(assetId))).toEqual(digest(await undisturbed()));
  });

  test('After a worker is killed in the middle of a chunk, another one publishes the bytes of an undisturbed run', async () => {
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

  test('After workers are killed at each of the first steps, another one publishes the bytes of an undisturbed run', async () => {
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

test('Publishing that breaks off at any write shows the whole asset or none, and the next worker completes it', async () => {
  machine.start();
  const short = clip({ name: 'short.mp4', seconds: 8 });
  const { assetId, jobId } = await machine.upload(short);
  await machine.ready();
  await machine.stop();
  const undisturbed = digest(await machine.published(assetId));
  const plan = await machine.plan(jobId);
  const { store } = machine.backend;
  const services = openServices(readConfig({ ...machine.env }), machine.backend, machine.scratch);
  const context = { log: createLog('silent'), signal: new AbortController().signal };
  const { DELIVERY_BUCKET, WORK_BUCKET } = machine.env;
  let write = 0;
  for (let broken = true; broken; write += 1) {
    for (const key of (await machine.published(assetId)).keys()) {
      if (/\.(m3u8|json)$/.test(key)) await store.delete(DELIVERY_BUCKET, key);
    }
    await store.delete(WORK_BUCKET, jobKeys(jobId).result);
    const cut = publishWhenDone(breaking(services, write), plan, context);
    broken = await cut.then(
      () => false,
      () => true,
    );
    if (await store.head(DELIVERY_BUCKET, pointerKey(assetId))) {
      expect(await machine.check({ jobId, playlist: pointerKey(assetId) }, short)).toEqual([]);
    }
    expect(await publishWhenDone(services, plan, context)).toBe(true);
    expect(digest(await machine.published(assetId))).toEqual(undisturbed);
    expect(await machine.event()).toMatchObject({ type: 'asset.ready', jobId });
  }
  // Three playlists, asset.json, the pointer, the event and the result, and one undisturbed round.
  expect(write).toBe(8);
});

/** Services that throw from that write on, as if the worker had been killed. */
function breaking(services: Services, writes: number): Services {
  let left = writes;
  const write = () => {
    left -= 1;
    if (left < 0) throw new Error('The worker was killed.');
  };
  const { store, events } = services;
  const put: typeof store.put = async (...object) => (write(), store.put(...object));
  const send: typeof events.send = async (...message) => (write(), events.send(...message));
  return {
    ...services,
    store: Object.assign(Object.create(store) as typeof store, { put }),
    events: Object.assign(Object.create(events) as typeof events, { send }),
  };
}

describe('SIGTERM', () => {
  test('SIGTERM in the middle of a chunk returns the unit at once, uses up none of its receives, and leaves nothing behind', async () => {
    const worker = machine.start();
    await machine.upload(file);
    await worker.encodes('video-00000');
    worker.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    const { inFlight, delayed } = await machine.counts('JOB_QUEUE');
    expect({ inFlight, delayed }).toEqual({ inFlight: 0, delayed: 0 });
    expect(machine.leftovers()).toEqual([]);
    const next = machine.start();
    expect(await next.encodes('video-00000')).toMatchObject({ receiveCount: 1, failures: 0 });
    expect((await machine.ready()).durationSeconds).toBeCloseTo(70, 0);
  });
});
