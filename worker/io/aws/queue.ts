import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSServiceException,
} from '@aws-sdk/client-sqs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { LeaseLostError } from '../ports.ts';
import type { Queue, ReceivedMessage } from '../ports.ts';

/**
 * How long SQS is asked to hold one request. A request that is broken off goes on at SQS, and a message
 * it brings is hidden from everybody (https://github.com/aws/aws-sdk-js/issues/2350). So none is broken
 * off, and who stops waiting waits for the end of a short one. A request that is not held at all asks
 * only some of SQS's servers, and can miss what is there.
 */
const HOLD_SECONDS = { least: 1, most: 5 };

const messageSchema = z
  .object({
    MessageId: z.string(),
    Body: z.string(),
    ReceiptHandle: z.string(),
    Attributes: z.object({
      ApproximateReceiveCount: z.coerce.number(),
      SentTimestamp: z.coerce.number(),
    }),
    MessageAttributes: z
      .object({ failures: z.object({ StringValue: z.coerce.number() }).optional() })
      .default({}),
  })
  .transform(
    ({ MessageId, Body, ReceiptHandle, Attributes, MessageAttributes }): ReceivedMessage => ({
      messageId: MessageId,
      body: Body,
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

/** The queue at an address, on SQS or on a service that speaks it. */
export function sqsQueue(client: SQSClient, address: string): Queue {
  // The address holds the account's number, which is nobody's business in a log.
  const name = new URL(address).pathname.split('/').at(-1) ?? '';
  const at = { QueueUrl: address };

  const hide = (receipt: string, seconds: number) =>
    onLease(name, () =>
      client.send(
        new ChangeMessageVisibilityCommand({
          ...{ ...at, ReceiptHandle: receipt, VisibilityTimeout: seconds },
        }),
      ),
    );

  const acknowledge = async (receipt: string) => {
    const input = { ...at, ReceiptHandle: receipt };
    await onLease(name, () => client.send(new DeleteMessageCommand(input)));
  };

  return {
    name,
    async send(body, delaySeconds) {
      const input = { ...at, MessageBody: body, DelaySeconds: delaySeconds };
      await client.send(new SendMessageCommand(input));
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
            WaitTimeSeconds: Math.max(HOLD_SECONDS.least, Math.min(left, HOLD_SECONDS.most)),
            VisibilityTimeout: visibilitySeconds,
            MessageAttributeNames: ['failures'],
            MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
          }),
        );
        // Also when the signal has come meanwhile: what is delivered is the caller's.
        if (Messages.length > 0) return Messages.map((message) => messageSchema.parse(message));
        if (Date.now() >= until) return [];
      }
    },
    extend: hide,
    async resend({ body, receipt }, failures, delaySeconds) {
      const input = { ...at, MessageBody: body, DelaySeconds: delaySeconds };
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

/** Turns what SQS says of a receipt that is no longer valid into a LeaseLostError. */
async function onLease(queue: string, command: () => Promise<unknown>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!isLeaseLost(error)) throw error;
    throw new LeaseLostError(`A message of ${queue} is no longer ours.`, { cause: error });
  }
}

/**
 * SQS calls an expired receipt an invalid value, as it does a visibility out of bounds; only its text
 * tells them apart (https://github.com/aws/aws-sdk-java/issues/1628).
 */
function isLeaseLost(error: unknown): boolean {
  if (!(error instanceof SQSServiceException)) return false;
  if (/ReceiptHandleIsInvalid|MessageNotInflight/.test(error.name)) return true;
  return /InvalidParameterValue/.test(error.name) && /parameter ReceiptHandle/.test(error.message);
}
