import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';

/** Makes buckets and queues in the emulator that the environment names. */
export class Resources {
  readonly #s3 = new S3Client({ forcePathStyle: true });
  readonly #sqs = new SQSClient();

  /** Makes a bucket that tells that queue, if any, of each upload; returns its name. */
  async bucket(name: string, told?: string): Promise<string> {
    const LocationConstraint = 'eu-central-1';
    await this.#s3.send(
      new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration: { LocationConstraint } }),
    );
    if (told === undefined) return name;
    const QueueConfigurations = [
      { QueueArn: await this.#arn(told), Events: ['s3:ObjectCreated:*' as const] },
    ];
    await this.#s3.send(
      new PutBucketNotificationConfigurationCommand({
        ...{ Bucket: name, NotificationConfiguration: { QueueConfigurations } },
      }),
    );
    return name;
  }

  /** Makes a queue that gives up to another after so many receives; returns its address. */
  async queue(
    name: string,
    redrive?: { readonly to: string; readonly maxReceives: number },
  ): Promise<string> {
    const policy = redrive && {
      deadLetterTargetArn: await this.#arn(redrive.to),
      maxReceiveCount: redrive.maxReceives,
    };
    const { QueueUrl } = await this.#sqs.send(
      new CreateQueueCommand({
        QueueName: name,
        ...(policy && { Attributes: { RedrivePolicy: JSON.stringify(policy) } }),
      }),
    );
    if (QueueUrl === undefined) throw new Error(`The queue ${name} has no address.`);
    return QueueUrl;
  }

  close(): void {
    this.#s3.destroy();
    this.#sqs.destroy();
  }

  async #arn(address: string): Promise<string> {
    const { Attributes } = await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: address, AttributeNames: ['QueueArn'] }),
    );
    const arn = Attributes?.QueueArn;
    if (arn === undefined) throw new Error(`The queue ${address} has no ARN.`);
    return arn;
  }
}
