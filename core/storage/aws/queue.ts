import { setTimeout as after } from 'node:timers/promises';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSServiceException,
} from '@aws-sdk/client-sqs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { LeaseLostError } from '../../model/errors.ts';
import type { OutgoingMessage, Queue, ReceivedMessage } from '../ports.ts';

/**
 * The wait time of one receive request. An aborted request continues at SQS, and a message that it receives then is
 * hidden from everybody (https://github.com/aws/aws-sdk-js/issues/2350). Therefore no request is aborted, and
 * requests are short enough that a caller can stop soon. A request without wait time asks only some of SQS's servers
 * and can miss messages.
 */
const HOLD_SECONDS = { min: 1, max: 5 };

/** SQS accepts this many messages in one request. */
const BATCH = 10;
/** As many as the SDK makes when a request fails as a whole (backend.ts). */
const BATCH_TRIES = 5;

const messageSchema = z
  .object({
    MessageId: z.string(),
    Body: z.string(),
    ReceiptHandle: z.string(),
    Attributes: z.object({
      ApproximateReceiveCount: z.coerce.number(),
      SentTimestamp: z.coerce.number(),
      MessageGroupId: z.string().optional(),
    }),
    MessageAttributes: z
      .object({ failures: z.object({ StringValue: z.coerce.number() }).optional() })
      .default({}),
  })
  .transform(
    ({ MessageId, Body, ReceiptHandle, Attributes, MessageAttributes }): ReceivedMessage => ({
      messageId: MessageId,
      body: Body,
      group: Attributes.MessageGroupId,
      receipt: ReceiptHandle,
      receiveCount: Attributes.ApproximateReceiveCount,
      failures: MessageAttributes.failures?.StringValue ?? 0,
      sentAt: new Date(Attributes.SentTimestamp),
    }),
  );

const countsSchema = z.object({
  ApproximateNumberOfMessages: z.coerce.number(),
  ApproximateNumberOfMessagesNotVisible: z.coerce.number(),
  ApproximateNumberOfMessagesDelayed: z.coerce.number(),
});

/** A queue of SQS or a compatible service, by its URL. */
export function sqsQueue(client: SQSClient, url: string): Queue {
  // Logs get this name: the URL holds the number of the AWS account.
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  const at = { QueueUrl: url };

  const hide = (receipt: string, seconds: number) =>
    onLease(name, () =>
      client.send(
        new ChangeMessageVisibilityCommand({
          ...at,
          ReceiptHandle: receipt,
          VisibilityTimeout: seconds,
        }),
      ),
    );

  const acknowledge = async (receipt: string) => {
    const input = { ...at, ReceiptHandle: receipt };
    await onLease(name, () => client.send(new DeleteMessageCommand(input)));
  };

  return {
    name,
    async send(body, group) {
      const input = { ...at, MessageBody: body, MessageGroupId: group };
      await client.send(new SendMessageCommand(input));
    },
    async sendAll(messages) {
      for (let first = 0; first < messages.length; first += BATCH) {
        await sendBatch(client, url, messages.slice(first, first + BATCH));
      }
    },
    async receive({ max, waitSeconds, visibilitySeconds, signal }) {
      const until = Date.now() + waitSeconds * 1000;
      for (;;) {
        signal?.throwIfAborted();
        const left = Math.round((until - Date.now()) / 1000);
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            ...at,
            MaxNumberOfMessages: Math.min(max, 10),
            WaitTimeSeconds: Math.max(HOLD_SECONDS.min, Math.min(left, HOLD_SECONDS.max)),
            VisibilityTimeout: visibilitySeconds,
            MessageAttributeNames: ['failures'],
            MessageSystemAttributeNames: [
              'ApproximateReceiveCount',
              'SentTimestamp',
              'MessageGroupId',
            ],
          }),
        );
        // Messages are returned even if the signal has aborted: they would stay hidden otherwise.
        if (Messages.length > 0) return Messages.map((message) => messageSchema.parse(message));
        if (Date.now() >= until) return [];
      }
    },
    extend: hide,
    async resend({ body, group, receipt }, failures, delaySeconds) {
      const input = { ...at, MessageBody: body, MessageGroupId: group, DelaySeconds: delaySeconds };
      const attribute = { DataType: 'Number', StringValue: String(failures) };
      await client.send(
        new SendMessageCommand({ ...input, MessageAttributes: { failures: attribute } }),
      );
      await acknowledge(receipt);
    },
    release: (receipt, delaySeconds = 0) => hide(receipt, delaySeconds),
    acknowledge,
    async counts() {
      const input = { ...at, AttributeNames: Object.values(countsSchema.keyof().enum) };
      const { Attributes } = await client.send(new GetQueueAttributesCommand(input));
      const counts = countsSchema.parse(Attributes);
      return {
        visible: counts.ApproximateNumberOfMessages,
        inFlight: counts.ApproximateNumberOfMessagesNotVisible,
        delayed: counts.ApproximateNumberOfMessagesDelayed,
      };
    },
  };
}

/** Sends up to ten messages, and repeats those that SQS rejects. Throws Error with SQS's reasons. */
async function sendBatch(
  client: SQSClient,
  url: string,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  let entries = messages.map(({ body, group }, index) => ({
    Id: String(index),
    MessageBody: body,
    MessageGroupId: group,
  }));
  for (let tries = 1; ; tries += 1) {
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({ QueueUrl: url, Entries: entries }),
    );
    if (Failed.length === 0) return;
    if (tries === BATCH_TRIES || Failed.some(({ SenderFault }) => SenderFault)) {
      const reasons = new Set(Failed.map(({ Code, Message }) => `${Code}: ${Message}`));
      throw new Error(
        `SQS rejected ${Failed.length} of ${messages.length} messages. ${[...reasons].join('; ')}`,
      );
    }
    entries = entries.filter(({ Id }) => Failed.some((one) => one.Id === Id));
    await after(100 * 2 ** tries);
  }
}

/** Throws LeaseLostError when SQS reports that the receipt is no longer valid. */
async function onLease(queue: string, command: () => Promise<unknown>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!isLeaseLost(error)) throw error;
    throw new LeaseLostError(`The receipt of a message of ${queue} is no longer valid.`, {
      cause: error,
    });
  }
}

/**
 * SQS reports an expired receipt as an invalid parameter value, like a visibility timeout out of bounds. Only the
 * message tells them apart (https://github.com/aws/aws-sdk-java/issues/1628).
 */
function isLeaseLost(error: unknown): boolean {
  if (!(error instanceof SQSServiceException)) return false;
  if (/ReceiptHandleIsInvalid|MessageNotInflight/.test(error.name)) return true;
  return /InvalidParameterValue/.test(error.name) && /parameter ReceiptHandle/.test(error.message);
}
