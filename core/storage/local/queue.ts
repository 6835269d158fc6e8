import { randomUUID } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import { z } from 'zod';
import { LeaseLostError } from '../../model/errors.ts';
import { serialiseUnreadable } from '../../model/message.ts';
import type { Queue, ReceivedMessage } from '../ports.ts';
import type { Database } from './database.ts';

/** A waiting receiver looks for messages this often. */
const POLL_MILLISECONDS = 50;

/** SQS's limit: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_BODY_BYTES = 2 ** 20;
/** The length of the excerpt that stands for an unreadable body. */
const EXCERPT_BYTES = 2 ** 14;

const messageSchema = z.object({
  id: z.number(),
  kind: z.string(),
  bytes: z.number(),
  body: z.string().nullable(),
  start: z.instanceof(Uint8Array).nullable(),
  group: z.string().nullable(),
  sent: z.number(),
  receives: z.number(),
  failures: z.number(),
});

/** Corrects numbers of a row that was edited by hand: a row that cannot be read would block the messages behind it. */
const whole = (column: string) =>
  `min(max(cast(${column} as integer), 0), ${Number.MAX_SAFE_INTEGER}) as ${column}`;

/**
 * The group with the fewest visible messages comes first, so that short jobs need not wait for long ones; then the
 * oldest message.
 */
const READ_MESSAGES = `
  select id, kind, bytes, cast("group" as text) as "group", ${['sent', 'receives', 'failures'].map(whole).join(', ')},
    iif(kind = 'text' and bytes <= ${MAX_BODY_BYTES}, body, null) as body,
    iif(kind = 'text' and bytes <= ${MAX_BODY_BYTES}, null, substr(cast(body as blob), 1, ${EXCERPT_BYTES})) as start
  from (
    select *, typeof(body) as kind, ifnull(length(cast(body as blob)), 0) as bytes from messages
    join (
      select id as next, count(*) over (partition by ifnull("group", id)) as waiting from messages
      where queue = ? and visible <= ? order by waiting, id limit ?
    ) on id = next order by waiting, id
  )`;

/** An unreadable body is replaced by a note about it, which a worker moves to the dead letters at once. */
function bodyOf({ body, kind, bytes, start }: z.infer<typeof messageSchema>): string {
  if (body !== null) return body;
  const reason =
    kind === 'text'
      ? `has ${bytes} bytes, and at most ${MAX_BODY_BYTES} are taken`
      : `is no text but ${kind}`;
  return serialiseUnreadable({ reason, bytes, start: Buffer.from(start ?? []).toString('utf8') });
}

/** Sends a message. The caller may hold a transaction. */
export function sendTo(database: Database, queue: string, body: string, group?: string): void {
  const now = Date.now();
  database.run(
    'insert into messages (queue, body, "group", sent, visible) values (?, ?, ?, ?, ?)',
    ...[queue, body, group ?? null, now, now],
  );
}

/**
 * A queue of one machine with the rules of SQS: a received message is hidden for the visibility timeout, its receives
 * are counted, and after `maxReceives` of them it moves to the dead letters.
 */
export function localQueue(
  database: Database,
  name: string,
  redrive?: { readonly to: string; readonly maxReceives: number },
): Queue {
  const moveToDeadLetters = () => {
    if (!redrive) return;
    database.run(
      'update messages set queue = ?, visible = ?, receives = 0, failures = 0, receipt = null where queue = ? and visible <= ? and receives >= ?',
      ...[redrive.to, Date.now(), name, Date.now(), redrive.maxReceives],
    );
  };

  const take = (max: number, visibilitySeconds: number): readonly ReceivedMessage[] =>
    database.write(() => {
      moveToDeadLetters();
      const now = Date.now();
      return database.rows(READ_MESSAGES, name, now, max).map((row) => {
        const message = messageSchema.parse(row);
        const { id, group, sent, receives, failures } = message;
        const receipt = randomUUID();
        database.run(
          'update messages set visible = ?, receives = receives + 1, receipt = ? where id = ?',
          ...[now + visibilitySeconds * 1000, receipt, id],
        );
        return {
          messageId: String(id),
          body: bodyOf(message),
          group: group ?? undefined,
          receipt,
          receiveCount: receives + 1,
          failures,
          sentAt: new Date(sent),
        };
      });
    });

  const hasVisible = () =>
    database.row(
      'select 1 from messages where queue = ? and visible <= ? limit 1',
      name,
      Date.now(),
    ) !== undefined;

  /** Changes a message under its receipt, which is valid until the timeout ends or the message is delivered again. */
  const onLease = (receipt: string, sql: string, ...values: readonly (string | number)[]) => {
    const changed = database.run(
      `${sql} where queue = ? and receipt = ? and visible > ?`,
      ...[...values, name, receipt, Date.now()],
    );
    if (changed === 0) {
      throw new LeaseLostError(
        `The receipt ${receipt} of a message of ${name} is no longer valid.`,
      );
    }
  };

  return {
    name,
    async send(body, group) {
      sendTo(database, name, body, group);
    },
    async sendAll(messages) {
      database.write(() => {
        for (const { body, group } of messages) sendTo(database, name, body, group);
      });
    },
    async receive({ max, waitSeconds, visibilitySeconds, signal }) {
      const until = Date.now() + waitSeconds * 1000;
      for (;;) {
        signal?.throwIfAborted();
        // A look takes no lock, so the write lock is taken only when there is a message.
        const messages = hasVisible() ? take(Math.min(max, 10), visibilitySeconds) : [];
        const left = until - Date.now();
        if (messages.length > 0 || left <= 0) return messages;
        await after(Math.min(POLL_MILLISECONDS, left), undefined, signal ? { signal } : {});
      }
    },
    async extend(receipt, visibilitySeconds) {
      onLease(receipt, 'update messages set visible = ?', Date.now() + visibilitySeconds * 1000);
    },
    async release(receipt, delaySeconds = 0) {
      onLease(
        receipt,
        'update messages set receipt = null, visible = ?',
        Date.now() + delaySeconds * 1000,
      );
    },
    async resend({ receipt }, failures, delaySeconds = 0) {
      onLease(
        receipt,
        'update messages set receipt = null, receives = 0, failures = ?, visible = ?',
        ...[failures, Date.now() + delaySeconds * 1000],
      );
    },
    async acknowledge(receipt) {
      onLease(receipt, 'delete from messages');
    },
    async counts() {
      const row = database.row(
        `select
           count(*) filter (where visible <= ?1) as visible,
           count(*) filter (where visible > ?1 and receipt is not null) as inFlight,
           count(*) filter (where visible > ?1 and receipt is null) as delayed
         from messages where queue = ?2`,
        ...[Date.now(), name],
      );
      return z
        .object({ visible: z.number(), inFlight: z.number(), delayed: z.number() })
        .parse(row);
    },
  };
}
