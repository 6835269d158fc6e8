import type { WorkerEnv } from '../environment.ts';
import { jobOfLater } from '../model/precedence.ts';
import type { Backend, OutgoingMessage, Queue, ReceivedMessage } from './ports.ts';

/**
 * How long an empty job queue is asked at a time before the units get their turn again. Work that comes for an
 * idle worker waits for so long at most.
 */
const TURN_SECONDS = 2;

/**
 * Opens the two queues of work as one: what comes first (JOB_QUEUE) is delivered before what can wait
 * (UNIT_QUEUE). SQS knows no priorities, so that there are two queues in either backend.
 */
export function openJobQueue(
  backend: Pick<Backend, 'queue'>,
  names: Pick<WorkerEnv, 'JOB_QUEUE' | 'UNIT_QUEUE'>,
): Queue {
  const first = backend.queue(names.JOB_QUEUE);
  const later = backend.queue(names.UNIT_QUEUE);
  const place = (body: string) => {
    const group = jobOfLater(body);
    return group === undefined ? { queue: first } : { queue: later, group };
  };

  // A receipt says which of the two queues it is of.
  const mark = (queue: Queue, messages: readonly ReceivedMessage[]) =>
    messages.map((message) => ({
      ...message,
      receipt: `${queue === first ? 1 : 2}${message.receipt}`,
    }));
  const ownerOf = (receipt: string) => (receipt.startsWith('1') ? first : later);
  const unmarked = (receipt: string) => receipt.slice(1);

  return {
    name: first.name,
    async send(body) {
      const { queue, group } = place(body);
      await queue.send(body, group);
    },
    async sendAll(messages) {
      const toSend = new Map<Queue, OutgoingMessage[]>([
        [first, []],
        [later, []],
      ]);
      for (const { body } of messages) {
        const { queue, group } = place(body);
        toSend.get(queue)?.push({ body, group });
      }
      for (const [queue, chosen] of toSend) await queue.sendAll(chosen);
    },
    async receive(options) {
      const until = performance.now() + options.waitSeconds * 1000;
      let turnSeconds = 0;
      for (;;) {
        const urgent = await first.receive({ ...options, waitSeconds: turnSeconds });
        if (urgent.length > 0) return mark(first, urgent);
        const rest = await later.receive({ ...options, waitSeconds: 0 });
        const left = (until - performance.now()) / 1000;
        if (rest.length > 0 || left <= 0) return mark(later, rest);
        turnSeconds = Math.min(left, TURN_SECONDS);
      }
    },
    extend: (receipt, seconds) => ownerOf(receipt).extend(unmarked(receipt), seconds),
    release: (receipt, delaySeconds) => ownerOf(receipt).release(unmarked(receipt), delaySeconds),
    resend: ({ receipt, ...message }, failures, delaySeconds) =>
      ownerOf(receipt).resend({ ...message, receipt: unmarked(receipt) }, failures, delaySeconds),
    acknowledge: (receipt) => ownerOf(receipt).acknowledge(unmarked(receipt)),
    async counts() {
      // In this order: a message of the first queue ends after those that it leads to are sent.
      const one = await first.counts();
      const other = await later.counts();
      return {
        visible: one.visible + other.visible,
        inFlight: one.inFlight + other.inFlight,
        delayed: one.delayed + other.delayed,
      };
    },
  };
}
