import { afterAll, beforeAll, expect, test } from 'vitest';
import { clip } from './clips.ts';
import { Machine } from './machine.ts';

let machine: Machine;
beforeAll(async () => {
  machine = await Machine.open();
});
afterAll(() => machine.close());

test('A short clip that is uploaded after a film is ready before the later chunks of the film are begun', async () => {
  const film = clip({ name: 'film.mp4', seconds: 65, size: '160x90', rate: '5' });
  const short = clip({ name: 'short.mp4', seconds: 4, size: '160x90' });
  const { jobId } = await machine.upload(film);
  const { assetId } = await machine.upload(short);
  const worker = machine.start();
  const first = await machine.ready();
  expect(first.assetId).toBe(assetId);
  const begun = () =>
    worker
      .lines(({ event, jobId: job }) => event === 'ffmpeg.started' && job === jobId)
      .map(({ unit }) => unit);
  expect(new Set(begun())).toEqual(new Set(['images', 'audio-0', 'video-00000']));
  const second = await machine.ready();
  expect(second.jobId).toBe(jobId);
  expect(begun()).toEqual(expect.arrayContaining(['video-00001']));
  await machine.stop();
  expect(await machine.counts('JOB_QUEUE')).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
});
