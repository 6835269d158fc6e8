import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LeaseLostError } from '../../../../core/model/errors.ts';
import { serialiseUnit } from '../../../../core/model/message.ts';
import { openJobQueue } from '../../../../core/storage/job-queue.ts';
import { uploadEvent } from '../../../../core/storage/local/event.ts';
import type { Queue } from '../../../../core/storage/ports.ts';
import type { ContractBackend, Subject } from './backend.ts';

const FILM = '0123456789abcdef0123';
const NONE = { visible: 0, inFlight: 0, delayed: 0 };
const minute = (index: number) => serialiseUnit(FILM, `video-${String(index).padStart(5, '0')}`);
const upload = (key: string) =>
  uploadEvent({
    ...{ bucket: 'source', key, sizeBytes: 1, etag: 'e', at: new Date(0), by: 'Put' },
  });
const laterMinutes = Array.from({ length: 5 }, (_, index) => minute(index + 1));

export function describePrecedence({ open }: Subject): void {
  describe('The two queues of work', () => {
    let backend: ContractBackend;
    let work: Queue;
    let uploads: Queue;
    let units: Queue;
    beforeAll(async () => {
      backend = await open();
      const { jobs: JOB_QUEUE, units: UNIT_QUEUE } = backend.queues;
      work = openJobQueue(backend.backend, { JOB_QUEUE, UNIT_QUEUE });
      uploads = backend.backend.queue(JOB_QUEUE);
      units = backend.backend.queue(UNIT_QUEUE);
    });
    afterAll(() => backend.close());

    const take = async (queue = work) => {
      const [message] = await queue.receive({ max: 1, waitSeconds: 10, visibilitySeconds: 30 });
      if (!message) throw new Error(`${queue.name} has no message.`);
      return message;
    };

    test('A hundred uploads and their first minutes are delivered before a later minute of a film', async () => {
      await work.sendAll([...laterMinutes, minute(0)].map((body) => ({ body })));
      const events = Array.from({ length: 100 }, (_, index) => upload(`${index}.mp4`));
      for (const event of events) await uploads.send(event);
      expect(await work.counts()).toEqual({ ...NONE, visible: 106 });
      const received: string[] = [];
      while (received.length < 106) {
        const messages = await work.receive({ max: 10, waitSeconds: 10, visibilitySeconds: 30 });
        for (const { body, receipt } of messages) {
          received.push(body);
          await work.acknowledge(receipt);
        }
      }
      expect(received.slice(0, 101).toSorted()).toEqual([minute(0), ...events].toSorted());
      expect(received.slice(101).toSorted()).toEqual(laterMinutes.toSorted());
      expect(await work.counts()).toEqual(NONE);
    });

    test('A message keeps its queue and its group when it is released or resent', async () => {
      await work.send(minute(1));
      const first = await take();
      expect(first).toMatchObject({ group: FILM, receiveCount: 1, failures: 0 });
      await work.extend(first.receipt, 30);
      expect(await work.counts()).toEqual({ ...NONE, inFlight: 1 });
      await work.resend(first, 2);
      const second = await take(units);
      expect(second).toMatchObject({ body: minute(1), group: FILM, failures: 2 });
      await units.release(second.receipt);
      const third = await take();
      await work.acknowledge(third.receipt);
      await expect(work.release(third.receipt)).rejects.toThrow(LeaseLostError);
      expect(await work.counts()).toEqual(NONE);
    });

    test('A later minute moves to the dead letters after its last receive, too', async () => {
      const deadLetters = backend.backend.queue(backend.queues.deadLetters);
      await work.send(minute(1));
      await work.release((await take()).receipt);
      await work.release((await take()).receipt);
      expect(await work.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 30 })).toEqual([]);
      const letter = await take(deadLetters);
      expect(letter.body).toBe(minute(1));
      await deadLetters.acknowledge(letter.receipt);
    });

    test.each([
      ['an upload', upload('a.mp4')],
      ['a later minute', minute(1)],
    ])('A waiting worker receives %s soon', async (_, body) => {
      let asked = 0;
      const first: Queue = {
        ...uploads,
        receive: async (options) => {
          asked += 1;
          if (asked === 2) await work.send(body);
          return uploads.receive(options);
        },
      };
      const idle = openJobQueue(
        { queue: (name) => (name === 'jobs' ? first : units) },
        { JOB_QUEUE: 'jobs', UNIT_QUEUE: 'units' },
      );
      const message = await take(idle);
      expect(message.body).toBe(body);
      await idle.acknowledge(message.receipt);
      expect(await work.counts()).toEqual(NONE);
    });

    test('A receiver of both queues stops waiting when its signal aborts', async () => {
      const stop = new AbortController();
      const waiting = work.receive({
        ...{ max: 1, waitSeconds: 20, visibilitySeconds: 30 },
        signal: stop.signal,
      });
      stop.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
    });
  });
}
