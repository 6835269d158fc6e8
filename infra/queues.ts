import { CloudwatchEventRule } from '@cdktf/provider-aws/lib/cloudwatch-event-rule/index.js';
import { CloudwatchEventTarget } from '@cdktf/provider-aws/lib/cloudwatch-event-target/index.js';
import { S3BucketNotification } from '@cdktf/provider-aws/lib/s3-bucket-notification/index.js';
import { SqsQueuePolicy } from '@cdktf/provider-aws/lib/sqs-queue-policy/index.js';
import { SqsQueueRedriveAllowPolicy } from '@cdktf/provider-aws/lib/sqs-queue-redrive-allow-policy/index.js';
import { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import type { SqsQueueConfig } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import type { Construct } from 'constructs';
import { serialiseReconcile } from '../core/model/message.ts';
import { REDRIVE_RECEIVES, VISIBILITY_SECONDS } from '../core/model/queue-limits.ts';
import { QUEUES } from '../core/model/roles.ts';
import { nameOf, stackName } from './names.ts';
import { declareOutputs } from './outputs.ts';
import type { QueuesOutputs } from './outputs.ts';
import { accountOf, onlyByTls, policy } from './policy.ts';
import type { Statement } from './policy.ts';
import { StageStack } from './stack.ts';
import type { StageProps } from './stack.ts';
import type { Bucket } from './storage.ts';

export interface QueuesProps extends StageProps {
  readonly sourceBucket: Bucket;
}

const DAY_SECONDS = 24 * 3600;

/**
 * SQS's maximum. A message that the queue itself moves to the dead letters keeps its age, so jobs have a shorter
 * retention: even the oldest stays a few days among the dead letters.
 */
const RETENTION_SECONDS = 14 * DAY_SECONDS;
const JOB_RETENTION_SECONDS = 10 * DAY_SECONDS;

/** The queues of jobs, units, dead letters and events. The source bucket sends uploads to the job queue. */
export class QueuesStack extends StageStack {
  readonly jobs: SqsQueue;
  readonly units: SqsQueue;
  readonly deadLetters: SqsQueue;
  readonly events: SqsQueue;

  constructor(scope: Construct, { sourceBucket, ...props }: QueuesProps) {
    super(scope, stackName(props.config.name, 'queues'), props);
    this.deadLetters = this.queue(QUEUES.deadLetters);
    this.jobs = this.workQueue(QUEUES.jobs);
    this.units = this.workQueue(QUEUES.units);
    new SqsQueueRedriveAllowPolicy(this, 'dead-letters-of-jobs', {
      queueUrl: this.deadLetters.url,
      redriveAllowPolicy: JSON.stringify({
        redrivePermission: 'byQueue',
        sourceQueueArns: [this.jobs.arn, this.units.arn],
      }),
    });
    this.events = this.queue(QUEUES.events);
    this.setPolicy('dead-letters-policy', this.deadLetters);
    this.setPolicy('events-policy', this.events);
    this.setPolicy('units-policy', this.units);
    this.notifyOfUploads(sourceBucket, this.requestReconciliation());
    declareOutputs<QueuesOutputs>(this, {
      jobQueueUrl: this.jobs.url,
      deadLetterQueueUrl: this.deadLetters.url,
      eventQueueUrl: this.events.url,
    });
  }

  private workQueue(role: string): SqsQueue {
    return this.queue(role, {
      messageRetentionSeconds: JOB_RETENTION_SECONDS,
      visibilityTimeoutSeconds: VISIBILITY_SECONDS,
      receiveWaitTimeSeconds: 20,
      redrivePolicy: JSON.stringify({
        deadLetterTargetArn: this.deadLetters.arn,
        maxReceiveCount: REDRIVE_RECEIVES,
      }),
    });
  }

  private queue(role: string, settings: SqsQueueConfig = {}): SqsQueue {
    return new SqsQueue(this, role, {
      name: nameOf(this.config.name, role),
      messageRetentionSeconds: RETENTION_SECONDS,
      sqsManagedSseEnabled: true,
      ...settings,
    });
  }

  /** Denies plain HTTP, and allows these statements. */
  private setPolicy(id: string, queue: SqsQueue, ...allowed: readonly Statement[]): SqsQueuePolicy {
    return new SqsQueuePolicy(this, id, {
      queueUrl: queue.url,
      policy: policy(...allowed, onlyByTls('sqs:*', queue.arn)),
    });
  }

  /**
   * Sends a message once a day that has a worker search for lost work: core/catalog/reconcile.ts. Returns the statement
   * that allows it. Unlike EventBridge Scheduler, a rule needs no IAM role and has tags.
   */
  private requestReconciliation(): Statement {
    const rule = new CloudwatchEventRule(this, 'daily-check', {
      name: nameOf(this.config.name, 'daily-check'),
      description: 'Has a worker find work whose message was lost, and send it again.',
      scheduleExpression: 'rate(1 day)',
    });
    new CloudwatchEventTarget(this, 'daily-check-to-jobs', {
      rule: rule.name,
      arn: this.jobs.arn,
      input: serialiseReconcile(),
    });
    return {
      Sid: 'OnlyTheDailyCheckAsksForIt',
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['sqs:SendMessage'],
      Resource: [this.jobs.arn],
      Condition: { ArnEquals: { 'aws:SourceArn': rule.arn } },
    };
  }

  private notifyOfUploads(sourceBucket: Bucket, ...allowed: readonly Statement[]): void {
    const uploads: Statement = {
      Sid: 'OnlyTheSourceBucketTellsOfUploads',
      Effect: 'Allow',
      Principal: { Service: 's3.amazonaws.com' },
      Action: ['sqs:SendMessage'],
      Resource: [this.jobs.arn],
      Condition: {
        ArnEquals: { 'aws:SourceArn': sourceBucket.arn },
        StringEquals: { 'aws:SourceAccount': accountOf(this.jobs.arn) },
      },
    };
    const maySend = this.setPolicy('uploads-to-jobs', this.jobs, uploads, ...allowed);
    new S3BucketNotification(this, 'uploads', {
      bucket: sourceBucket.name,
      queue: [{ id: 'uploads', queueArn: this.jobs.arn, events: ['s3:ObjectCreated:*'] }],
      // S3 sends a test message, and rejects the configuration if it may not.
      dependsOn: [maySend],
    });
  }
}
