import type { WorkerEnv } from '../environment.ts';
import { deferrableJob } from '../model/precedence.ts';
import type { Backend, OutgoingMessage, Queue, ReceivedMessage } from './ports.ts';

/**
 * How long an idle worker waits on the job queue before it looks into the unit queue again. New units wait for at
 * most this long.
 */
const TURN_SECONDS = 2;

/**
 * Opens the two queues of work as one queue, which delivers urgent messages (JOB_QUEUE) before those that can wait
 * (UNIT_QUEUE). There are two queues because SQS has no priorities.
 */
export function openJobQueue(
  backend: Pick<Backend, 'queue'>,
  names: Pick<WorkerEnv, 'JOB_QUEUE' | 'UNIT_QUEUE'>,
): Queue {
  const urgent = backend.queue(names.JOB_QUEUE);
  const deferred = backend.queue(names.UNIT_QUEUE);
  const route = (body: string) => {
    const group = deferrableJob(body);
    return group === undefined ? { queue: urgent } : { queue: deferred, group };
  };

  // The first character of a receipt identifies its queue.
  const tagReceipts = (queue: Queue, messages: readonly ReceivedMessage[]) =>
    messages.map((message) => ({
      ...message,
      receipt: `${queue === urgent ? 1 : 2}${message.receipt}`,
    }));
  const ownerOf = (receipt: string) => (receipt.startsWith('1') ? urgent : deferred);
  const untag = (receipt: string) => receipt.slice(1);

  return {
    name: urgent.name,
    async send(body) {
      const { queue, group } = route(body);
      await queue.send(body, group);
    },
    async sendAll(messages) {
      const toSend = new Map<Queue, OutgoingMessage[]>([
        [urgent, []],
        [deferred, []],
      ]);
      for (const { body } of messages) {
        const { queue, group } = route(body);
        toSend.get(queue)?.push({ body, group });
      }
      for (const [queue, chosen] of toSend) await queue.sendAll(chosen);
    },
    async receive(options) {
      const until = performance.now() + options.waitSeconds * 1000;
      let turnSeconds = 0;
      for (;;) {
        const messages = await urgent.receive({ ...options, waitSeconds: turnSeconds });
        if (messages.length > 0) return tagReceipts(urgent, messages);
        const rest = await deferred.receive({ ...options, waitSeconds: 0 });
        const left = (until - performance.now()) / 1000;
        if (rest.length > 0 || left <= 0) return tagReceipts(deferred, rest);
        turnSeconds = Math.min(left, TURN_SECONDS);
      }
    },
    extend: (receipt, seconds) => ownerOf(receipt).extend(untag(receipt), seconds),
    release: (receipt, delaySeconds) => ownerOf(receipt).release(untag(receipt), delaySeconds),
    resend: ({ receipt, ...message }, failures, delaySeconds) =>
      ownerOf(receipt).resend({ ...message, receipt: untag(receipt) }, failures, delaySeconds),
    acknowledge: (receipt) => ownerOf(receipt).acknowledge(untag(receipt)),
    async counts() {
      // In this order: a job sends its units before its own message is acknowledged, so none is missed.
      const one = await urgent.counts();
      const other = await deferred.counts();
      return {
        visible: one.visible + other.visible,
        inFlight: one.inFlight + other.inFlight,
        delayed: one.delayed + other.delayed,
      };
    },
  };
}
