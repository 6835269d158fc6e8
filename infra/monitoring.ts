import { BudgetsBudget } from '@cdktf/provider-aws/lib/budgets-budget/index.js';
import type { CloudfrontDistribution } from '@cdktf/provider-aws/lib/cloudfront-distribution/index.js';
import { CloudwatchDashboard } from '@cdktf/provider-aws/lib/cloudwatch-dashboard/index.js';
import { CloudwatchMetricAlarm } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import type { CloudwatchMetricAlarmConfig } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';
import type { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { S3BucketMetric } from '@cdktf/provider-aws/lib/s3-bucket-metric/index.js';
import { SnsTopicSubscription } from '@cdktf/provider-aws/lib/sns-topic-subscription/index.js';
import { SnsTopic } from '@cdktf/provider-aws/lib/sns-topic/index.js';
import type { SqsQueue } from '@cdktf/provider-aws/lib/sqs-queue/index.js';
import type { Construct } from 'constructs';
import { dashboardBody } from './dashboard.ts';
import { stuck } from './metrics.ts';
import { nameOf, RESOURCES, stackName } from './names.ts';
import { declareOutputs } from './outputs.ts';
import type { MonitoringOutputs } from './outputs.ts';
import type { QueuesStack } from './queues.ts';
import { StageStack } from './stack.ts';
import type { StageProps } from './stack.ts';
import type { Bucket } from './storage.ts';

export interface MonitoringProps extends StageProps {
  readonly queues: QueuesStack;
  readonly distribution: CloudfrontDistribution;
  readonly deliveryBucket: Bucket;
}

type Alarm = Omit<CloudwatchMetricAlarmConfig, 'alarmName' | 'alarmActions' | 'okActions'>;

/** Alarms by mail, a dashboard and a budget. */
export class MonitoringStack extends StageStack {
  constructor(
    scope: Construct,
    { queues, distribution, deliveryBucket, ...props }: MonitoringProps,
  ) {
    super(scope, stackName(props.config.name, 'watching'), props);
    const { jobs, units, deadLetters } = queues;
    const { name, region, accessMode, alarmAfterMinutes, dailyTrafficGb, monthlyBudgetUsd } =
      this.config;
    const alarm = this.alarmsTo(this.topic('alarms'));
    const queueMetric = (queue: SqsQueue, metricName: string) => ({
      namespace: 'AWS/SQS',
      metricName,
      dimensions: { QueueName: queue.name },
      statistic: 'Maximum',
      period: 60,
      treatMissingData: 'notBreaching',
    });
    alarm('oldest-message', {
      alarmDescription: `An upload, or the first minute of a video, has waited for more than ${alarmAfterMinutes} minutes: too few workers, or none that start.`,
      ...queueMetric(jobs, 'ApproximateAgeOfOldestMessage'),
      comparisonOperator: 'GreaterThanThreshold',
      threshold: alarmAfterMinutes * 60,
      evaluationPeriods: 5,
    });
    alarm('oldest-unit', {
      alarmDescription:
        'A later minute of a video has waited for a day: too few workers for what is uploaded.',
      ...queueMetric(units, 'ApproximateAgeOfOldestMessage'),
      comparisonOperator: 'GreaterThanThreshold',
      threshold: 24 * 3600,
      evaluationPeriods: 5,
    });
    alarm('dead-letters', {
      alarmDescription: 'A job was given up. Its evidence is in the work bucket.',
      ...queueMetric(deadLetters, 'ApproximateNumberOfMessagesVisible'),
      comparisonOperator: 'GreaterThanThreshold',
      threshold: 0,
      evaluationPeriods: 1,
    });
    alarm('no-progress', {
      alarmDescription: `There is work, and for ${alarmAfterMinutes} minutes none of it was done: see the workers' logs.`,
      metricQuery: stuck({ jobs: jobs.name, units: units.name }),
      comparisonOperator: 'GreaterThanThreshold',
      threshold: 0,
      evaluationPeriods: alarmAfterMinutes,
      treatMissingData: 'notBreaching',
    });

    if (accessMode === 'public-read') {
      alarm('bucket-traffic', {
        alarmDescription: `More than ${dailyTrafficGb} GB left the delivery bucket in a day, to the CDN or past it.`,
        ...this.bucketTraffic(deliveryBucket),
        threshold: dailyTrafficGb * 1e9,
      });
    }

    // An alarm can only notify a topic in its own region.
    const edge = this.atTheEdge();
    const edgeAlarm = this.alarmsTo(this.topic('edge-alarms', edge), edge);
    const edgeMetric = (metricName: string, statistic: string, period: number) => ({
      namespace: 'AWS/CloudFront',
      metricName,
      dimensions: { DistributionId: distribution.id, Region: 'Global' },
      statistic,
      period,
      comparisonOperator: 'GreaterThanThreshold',
      evaluationPeriods: 1,
      treatMissingData: 'notBreaching',
    });
    edgeAlarm('edge-errors', {
      alarmDescription: 'More than one answer in a hundred is an error of the CDN or the bucket.',
      ...edgeMetric('5xxErrorRate', 'Average', 300),
      threshold: 1,
      evaluationPeriods: 3,
    });
    edgeAlarm('edge-traffic', {
      alarmDescription: `More than ${dailyTrafficGb} GB were delivered in a day.`,
      ...edgeMetric('BytesDownloaded', 'Sum', 24 * 3600),
      threshold: dailyTrafficGb * 1e9,
    });

    const dashboard = new CloudwatchDashboard(this, 'dashboard', {
      dashboardName: nameOf(name, 'overview'),
      dashboardBody: dashboardBody({
        region,
        jobs: jobs.name,
        units: units.name,
        deadLetters: deadLetters.name,
        service: nameOf(name, RESOURCES.workers),
        distributionId: distribution.id,
        metricsNamespace: nameOf(name, RESOURCES.metrics),
      }),
    });
    if (monthlyBudgetUsd !== undefined) this.budget(monthlyBudgetUsd);
    declareOutputs<MonitoringOutputs>(this, { dashboardName: dashboard.dashboardName });
  }

  /**
   * Bytes that left the bucket in a day. The CDN's metrics lack what is fetched at the bucket's own address. S3
   * counts this only if it is asked to, for some dollars a month.
   */
  private bucketTraffic({ name }: Bucket) {
    const FilterId = nameOf(this.config.name, 'all');
    const metric = new S3BucketMetric(this, 'bucket-requests', { bucket: name, name: FilterId });
    return {
      namespace: 'AWS/S3',
      metricName: 'BytesDownloaded',
      dimensions: { BucketName: metric.bucket, FilterId },
      statistic: 'Sum',
      period: 24 * 3600,
      comparisonOperator: 'GreaterThanThreshold',
      evaluationPeriods: 1,
      treatMissingData: 'notBreaching',
    };
  }

  private topic(role: string, provider?: AwsProvider): SnsTopic {
    const where = provider ? { provider } : {};
    const topic = new SnsTopic(this, role, { ...where, name: nameOf(this.config.name, role) });
    const { alarmEmail } = this.config;
    if (alarmEmail !== undefined) {
      new SnsTopicSubscription(this, `${role}-mail`, {
        ...where,
        topicArn: topic.arn,
        protocol: 'email',
        endpoint: alarmEmail,
      });
    }
    return topic;
  }

  private alarmsTo(topic: SnsTopic, provider?: AwsProvider) {
    return (role: string, alarm: Alarm) =>
      new CloudwatchMetricAlarm(this, role, {
        ...(provider ? { provider } : {}),
        alarmName: nameOf(this.config.name, role),
        alarmActions: [topic.arn],
        okActions: [topic.arn],
        ...alarm,
      });
  }

  /** For the whole account: a budget by tag stays at zero until somebody activates it as a cost allocation tag. */
  private budget(monthlyUsd: number): void {
    const { name, alarmEmail } = this.config;
    const warn = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      comparisonOperator: 'GREATER_THAN',
      notificationType,
      threshold,
      thresholdType: 'PERCENTAGE',
      subscriberEmailAddresses: alarmEmail === undefined ? [] : [alarmEmail],
    });
    new BudgetsBudget(this, 'budget', {
      name: nameOf(name, 'monthly'),
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      limitAmount: monthlyUsd.toFixed(1),
      limitUnit: 'USD',
      notification: [warn('ACTUAL', 80), warn('FORECASTED', 100)],
    });
  }
}
