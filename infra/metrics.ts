import type { CloudwatchMetricAlarmMetricQuery } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';

type Query = CloudwatchMetricAlarmMetricQuery;

/** The names of the work queues. */
export interface WorkQueues {
  readonly jobs: string;
  readonly units: string;
}

/** SQS and ECS report once a minute. */
const PERIOD_SECONDS = 60;

/**
 * The number of messages that wait or are in work. A queue without use for six hours reports nothing: SUM of a list
 * skips missing values, while FILL would hide late ones.
 */
export function backlog(queues: WorkQueues): Query[] {
  const held = heldIn(queues);
  return [
    ...held,
    result('backlog', `SUM([${idsOf(held)}])`, 'Messages that wait or are worked on'),
  ];
}

/**
 * 1 in a minute in which workers ran and both queues were empty, else 0. There is no value while no worker runs,
 * because ECS reports none: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
 */
export function idle(
  queues: WorkQueues,
  { cluster, service }: { readonly cluster: string; readonly service: string },
): Query[] {
  const held = heldIn(queues);
  const dimensions = { ClusterName: cluster, ServiceName: service };
  const running = metric('running', 'AWS/ECS', 'CPUUtilization', dimensions, 'SampleCount');
  const empty = `${idsOf(held, ' + ')} == 0`;
  return [
    running,
    ...held,
    result('idle', `IF(running > 0 AND ${empty}, 1, 0)`, 'Workers without work'),
  ];
}

/** 1 in a minute with a backlog in which no message was deleted, else 0. */
export function stuck(queues: WorkQueues): Query[] {
  const held = heldIn(queues);
  const done = perQueue(queues, 'done', 'NumberOfMessagesDeleted', 'Sum');
  const none = `${done.map(({ id }) => `FILL(${id}, 0)`).join(' + ')} == 0`;
  return [
    ...held,
    ...done,
    result('stuck', `IF(SUM([${idsOf(held)}]) > 0 AND ${none}, 1, 0)`, 'Work without progress'),
  ];
}

function heldIn(queues: WorkQueues): readonly Query[] {
  return [
    ...perQueue(queues, 'waiting', 'ApproximateNumberOfMessagesVisible', 'Maximum'),
    ...perQueue(queues, 'working', 'ApproximateNumberOfMessagesNotVisible', 'Maximum'),
  ];
}

function perQueue(
  { jobs, units }: WorkQueues,
  what: string,
  metricName: string,
  stat: string,
): readonly Query[] {
  const of = (queue: string, QueueName: string) =>
    metric(`${queue}_${what}`, 'AWS/SQS', metricName, { QueueName }, stat);
  return [of('jobs', jobs), of('units', units)];
}

function metric(
  id: string,
  namespace: string,
  metricName: string,
  dimensions: Record<string, string>,
  stat: string,
): Query {
  return { id, metric: { namespace, metricName, dimensions, period: PERIOD_SECONDS, stat } };
}

function result(id: string, expression: string, label: string): Query {
  return { id, expression, label, returnData: true };
}

function idsOf(queries: readonly Query[], separator = ', '): string {
  return queries.map(({ id }) => id).join(separator);
}
