import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LeaseLostError } from '../../../../core/model/errors.ts';
import { returnDeadLetters } from '../../../../core/storage/dead-letter-queue.ts';
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

    test('A message is delivered once, and hidden from others until it is acknowledged', async () => {
      await jobs.send('{"text":"한글 🎬"}');
      const message = await take(jobs);
      expect(message).toMatchObject({ body: '{"text":"한글 🎬"}', receiveCount: 1 });
      expect(Math.abs(Date.now() - message.sentAt.getTime())).toBeLessThan(60_000);
      expect(await nothing(jobs)).toEqual([]);
      expect(await jobs.counts()).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
      await jobs.acknowledge(message.receipt);
      expect(await jobs.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    });

    test('A message is delivered again after its visibility timeout, with a higher receive count', async () => {
      await jobs.send('twice');
      const first = await take(jobs, 1);
      const second = await take(jobs);
      expect(second).toMatchObject({ messageId: first.messageId, receiveCount: 2 });
      if (lateReceipts === 'refused') {
        await expect(jobs.acknowledge(first.receipt)).rejects.toThrow(LeaseLostError);
      }
      await jobs.acknowledge(second.receipt);
    });

    test('An acknowledged message can be neither extended nor released', async () => {
      await jobs.send('done');
      const { receipt } = await take(jobs);
      await jobs.acknowledge(receipt);
      await expect(jobs.extend(receipt, 30)).rejects.toThrow(LeaseLostError);
      await expect(jobs.release(receipt)).rejects.toThrow(LeaseLostError);
    });

    test('An extended message stays hidden for longer', async () => {
      await jobs.send('long');
      const message = await take(jobs, 2);
      await jobs.extend(message.receipt, 30);
      const waited = await jobs.receive({ max: 1, waitSeconds: 3, visibilitySeconds: 30 });
      expect(waited).toEqual([]);
      await jobs.acknowledge(message.receipt);
    });

    test('A released message is visible at once, or after a delay', async () => {
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

    test('A resent message is a new one that carries its failures', async () => {
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

    test('Messages that are sent together keep their groups, also when they are resent', async () => {
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

    test('A waiting receiver gets a new message soon', async () => {
      const waiting = take(jobs);
      await jobs.send('wake up');
      const message = await waiting;
      expect(message.body).toBe('wake up');
      await jobs.acknowledge(message.receipt);
    });

    test('A receiver stops waiting when its signal aborts', async () => {
      const stop = new AbortController();
      const waiting = jobs.receive({
        ...{ max: 1, waitSeconds: 20, visibilitySeconds: 30 },
        signal: stop.signal,
      });
      stop.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow();
    });

    test('A message moves to the dead letters after its last receive, and can be sent back', async () => {
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

    test('A dead letter that is given up again at once is not sent back twice', async () => {
      await deadLetters.send('poison');
      const returnedAtOnce = { ...jobs, send: (body: string) => deadLetters.send(body) };
      expect(await returnDeadLetters(deadLetters, returnedAtOnce)).toBe(1);
      const letter = await take(deadLetters);
      expect(letter.body).toBe('poison');
      await deadLetters.acknowledge(letter.receipt);
    });

    test(`Four receivers get each of a hundred messages ${delivery}`, async () => {
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
