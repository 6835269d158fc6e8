import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { returnDeadLetters } from '../../../../core/storage/dead-letter-queue.ts';
import { LeaseLostError } from '../../../../core/model/errors.ts';
import type { Queue, ReceivedMessage } from '../../../../core/storage/ports.ts';
import type { ContractBackend, Subject } from './backend.ts';

export function describeQueues({ open, delivery, lateReceipts }: Subject): void {
  describe('Queues', () => {
    let backend: ContractBackend;
    let jobs: Queue;
    let deadLetters: Queue;
    beforeAll(async () => {
      backend = await open();
      jobs = backend.backend.queue(backend.queues.jobs);
      deadLetters = backend.backend.queue(backend.queues.deadLetters);
    });
    afterAll(() => backend.close());

    async function take(queue: Queue, visibilitySeconds = 30): Promise<ReceivedMessage> {
      const [message] = await queue.receive({ max: 1, waitSeconds: 10, visibilitySeconds });
      if (!message) throw new Error(`${queue.name} has no message.`);
      return message;
    }

    const nothing = (queue: Queue) =>
      queue.receive({ max: 1, waitSeconds: 0, visibilitySeconds: 30 });

    test('deliver a message once, hidden from others until it is acknowledged.', async () => {
      await jobs.send('{"text":"한글 🎬"}');
      const message = await take(jobs);
      expect(message).toMatchObject({ body: '{"text":"한글 🎬"}', receiveCount: 1 });
      expect(Math.abs(Date.now() - message.sentAt.getTime())).toBeLessThan(60_000);
      expect(await nothing(jobs)).toEqual([]);
      expect(await jobs.counts()).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
      await jobs.acknowledge(message.receipt);
      expect(await jobs.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    });

    test('deliver again, and count, when the visibility is over.', async () => {
      await jobs.send('twice');
      const first = await take(jobs, 1);
      const second = await take(jobs);
      expect(second).toMatchObject({ messageId: first.messageId, receiveCount: 2 });
      if (lateReceipts === 'refused') {
        await expect(jobs.acknowledge(first.receipt)).rejects.toThrow(LeaseLostError);
      }
      await jobs.acknowledge(second.receipt);
    });

    test('neither extend nor release what has been acknowledged.', async () => {
      await jobs.send('done');
      const { receipt } = await take(jobs);
      await jobs.acknowledge(receipt);
      await expect(jobs.extend(receipt, 30)).rejects.toThrow(LeaseLostError);
      await expect(jobs.release(receipt)).rejects.toThrow(LeaseLostError);
    });

    test('hide a message longer when it is extended.', async () => {
      await jobs.send('long');
      const message = await take(jobs, 2);
      await jobs.extend(message.receipt, 30);
      const waited = await jobs.receive({ max: 1, waitSeconds: 3, visibilitySeconds: 30 });
      expect(waited).toEqual([]);
      await jobs.acknowledge(message.receipt);
    });

    test('show a message at once when it is released, or after a delay.', async () => {
      await jobs.send('released');
      await jobs.release((await take(jobs)).receipt);
      const again = await take(jobs);
      expect(again.receiveCount).toBe(2);
      await jobs.acknowledge(again.receipt);
      await jobs.send('later');
      await jobs.release((await take(jobs)).receipt, 3);
      expect(await nothing(jobs)).toEqual([]);
      await jobs.acknowledge((await take(jobs)).receipt);
    });

    test('replace a message by a fresh one that carries its failures.', async () => {
      await jobs.send('failed');
      const first = await take(jobs);
      expect(first.failures).toBe(0);
      await jobs.resend(first, 3);
      const second = await take(jobs);
      expect(second).toMatchObject({ body: 'failed', receiveCount: 1, failures: 3 });
      await jobs.resend(second, 4, 3);
      expect((await jobs.counts()).delayed).toBe(1);
      expect(await nothing(jobs)).toEqual([]);
      const third = await take(jobs);
      expect(third).toMatchObject({ receiveCount: 1, failures: 4 });
      await jobs.acknowledge(third.receipt);
      expect(await jobs.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    });

    test('take many messages at once, each with its group, which it keeps when it is sent again.', async () => {
      const sent = Array.from({ length: 23 }, (_, index) => `${index}`);
      await jobs.sendAll(sent.map((body) => ({ body, group: 'a job' })));
      const received: string[] = [];
      while (received.length < sent.length) {
        const message = await take(jobs);
        expect(message.group).toBe('a job');
        received.push(message.body);
        if (message.failures === 0 && message.body === '7') {
          await jobs.resend(message, 1);
          expect(received.pop()).toBe('7');
        } else await jobs.acknowledge(message.receipt);
      }
      expect(received.toSorted()).toEqual(sent.toSorted());
    });

    test('wake a waiting receiver when a message comes.', async () => {
      const waiting = take(jobs);
      await jobs.send('wake up');
      const message = await waiting;
      expect(message.body).toBe('wake up');
      await jobs.acknowledge(message.receipt);
    });

    test('stop waiting when they are told to.', async () => {
      const stop = new AbortController();
      const waiting = jobs.receive({
        ...{ max: 1, waitSeconds: 20, visibilitySeconds: 30 },
        signal: stop.signal,
      });
      stop.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow();
    });

    test('give up to the dead letters after the last receive, and take them back.', async () => {
      await jobs.send('hopeless');
      await jobs.release((await take(jobs)).receipt);
      await jobs.release((await take(jobs)).receipt);
      expect(await nothing(jobs)).toEqual([]);
      const letter = await take(deadLetters);
      expect(letter.body).toBe('hopeless');
      await deadLetters.release(letter.receipt);
      expect(await returnDeadLetters(deadLetters, jobs)).toBe(1);
      const back = await take(jobs);
      expect(back).toMatchObject({ body: 'hopeless', receiveCount: 1 });
      await jobs.acknowledge(back.receipt);
      expect(await nothing(deadLetters)).toEqual([]);
    });

    test('send no dead letter back twice, though it is given up again at once.', async () => {
      await deadLetters.send('poison');
      const returnedAtOnce = { ...jobs, send: (body: string) => deadLetters.send(body) };
      expect(await returnDeadLetters(deadLetters, returnedAtOnce)).toBe(1);
      const letter = await take(deadLetters);
      expect(letter.body).toBe('poison');
      await deadLetters.acknowledge(letter.receipt);
    });

    test(`deliver each of a hundred messages ${delivery} to four receivers.`, async () => {
      const sent = Array.from({ length: 100 }, (_, index) => `message ${index}`);
      await Promise.all(sent.map((body) => jobs.send(body)));
      const received: string[] = [];
      const receiver = async () => {
        while (new Set(received).size < sent.length) {
          const messages = await jobs.receive({ max: 10, waitSeconds: 1, visibilitySeconds: 30 });
          for (const { body, receipt } of messages) {
            received.push(body);
            await jobs.acknowledge(receipt);
          }
        }
      };
      await Promise.all([receiver(), receiver(), receiver(), receiver()]);
      expect([...new Set(received)].sort()).toEqual(sent.sort());
      if (delivery === 'once') expect(received).toHaveLength(sent.length);
    });
  });
}
