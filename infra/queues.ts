import { CloudwatchEventRule } from '@cdktf/provider-aws/lib/cloudwatch-event-rule/index.js';
import { CloudwatchEventTarget } from '@cdktf/provider-aws/lib/cloudwatch-event-target/index.js';
import { S3BucketNotification } from '@cdktf/provider-aws/lib/s3-bucket-notification/index.js';
import { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import type { SqsQueueConfig } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import { SqsQueuePolicy } from '@cdktf/provider-aws/lib/sqs-queue-policy/index.js';
import { SqsQueueRedriveAllowPolicy } from '@cdktf/provider-aws/lib/sqs-queue-redrive-allow-policy/index.js';
import type { Construct } from 'constructs';
import { serialiseReconcile } from '../core/model/message.ts';
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

/**
 * How often a message may meet workers that end without a word before the next one gives it up, with a
 * report. A failure that a worker survives counts by itself: MAX_FAILURES of core/environment.ts.
 */
export const MAX_RECEIVES = 20;

/**
 * How long a worker that has gone silent keeps a unit. It extends it every third of that, so that a
 * unit may take any time; a lost worker's unit is taken up by another after it.
 */
export const VISIBILITY_SECONDS = 120;

const DAY_SECONDS = 24 * 3600;

/**
 * The longest that SQS keeps a message. One that the queue itself moves to the dead letters keeps its age:
 * those outlive the oldest job by days in which somebody can look at them.
 */
const RETENTION_SECONDS = 14 * DAY_SECONDS;
const JOB_RETENTION_SECONDS = 10 * DAY_SECONDS;

/** The two queues of work, the dead letters, and the events about assets. The source bucket sends uploads to the first. */
export class QueuesStack extends StageStack {
  /** Uploads, jobs, and the units that come first. */
  readonly jobs: SqsQueue;
  /** The units that can wait: core/model/precedence.ts. */
  readonly units: SqsQueue;
  readonly deadLetters: SqsQueue;
  readonly events: SqsQueue;

  constructor(scope: Construct, { sourceBucket, ...props }: QueuesProps) {
    super(scope, stackName(props.config.name, 'queues'), props);
    this.deadLetters = this.queue('dead-letters');
    this.jobs = this.workQueue('jobs');
    this.units = this.workQueue('units');
    new SqsQueueRedriveAllowPolicy(this, 'dead-letters-of-jobs', {
      queueUrl: this.deadLetters.url,
      redriveAllowPolicy: JSON.stringify({
        redrivePermission: 'byQueue',
        sourceQueueArns: [this.jobs.arn, this.units.arn],
      }),
    });
    this.events = this.queue('events');
    this.police('dead-letters-policy', this.deadLetters);
    this.police('events-policy', this.events);
    this.police('units-policy', this.units);
    this.tellOfUploads(sourceBucket, this.askForReconciliation());
    declareOutputs<QueuesOutputs>(this, {
      jobQueueUrl: this.jobs.url,
      deadLetterQueueUrl: this.deadLetters.url,
      eventQueueUrl: this.events.url,
    });
  }

  private workQueue(role: 'jobs' | 'units'): SqsQueue {
    return this.queue(role, {
      messageRetentionSeconds: JOB_RETENTION_SECONDS,
      visibilityTimeoutSeconds: VISIBILITY_SECONDS,
      receiveWaitTimeSeconds: 20,
      // Well after the worker's own limit: SQS moves a message without a report, which is for
      // workers that die in reporting.
      redrivePolicy: JSON.stringify({
        deadLetterTargetArn: this.deadLetters.arn,
        maxReceiveCount: MAX_RECEIVES + 10,
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

  /** Gives a queue its policy: no plain HTTP, and what is allowed besides. */
  private police(id: string, queue: SqsQueue, ...allowed: readonly Statement[]): SqsQueuePolicy {
    return new SqsQueuePolicy(this, id, {
      queueUrl: queue.url,
      policy: policy(...allowed, onlyByTls('sqs:*', queue.arn)),
    });
  }

  /**
   * Has a worker look once a day for lost work: core/catalog/reconcile.ts. Returns what must be allowed for it. A rule
   * needs no role, unlike EventBridge's scheduler, and can be tagged.
   */
  private askForReconciliation(): Statement {
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

  private tellOfUploads(sourceBucket: Bucket, ...allowed: readonly Statement[]): void {
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
    const mayTell = this.police('uploads-to-jobs', this.jobs, uploads, ...allowed);
    new S3BucketNotification(this, 'uploads', {
      bucket: sourceBucket.name,
      queue: [{ id: 'uploads', queueArn: this.jobs.arn, events: ['s3:ObjectCreated:*'] }],
      // S3 sends a message to try it, and refuses when it may not.
      dependsOn: [mayTell],
    });
  }
}
