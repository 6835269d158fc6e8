import type { CloudwatchMetricAlarmMetricQuery } from '@cdktf/provider-aws/lib/cloudwatch-metric-alarm/index.js';

/** A minute is how often SQS reports. */
const PERIOD_SECONDS = 60;

/** Messages that wait or are worked on: one for each unit. */
export function backlog(queueName: string): CloudwatchMetricAlarmMetricQuery[] {
  return [
    queueMetric('waiting', queueName, 'ApproximateNumberOfMessagesVisible', 'Maximum'),
    queueMetric('working', queueName, 'ApproximateNumberOfMessagesNotVisible', 'Maximum'),
    {
      id: 'backlog',
      expression: 'waiting + working',
      label: 'Units that wait or are worked on',
      returnData: true,
    },
  ];
}

/** 1 in a minute with a backlog in which no message was done with, else 0. */
export function stuck(queueName: string): CloudwatchMetricAlarmMetricQuery[] {
  const [waiting, working] = backlog(queueName);
  if (!waiting || !working) return [];
  return [
    waiting,
    working,
    queueMetric('done', queueName, 'NumberOfMessagesDeleted', 'Sum'),
    {
      id: 'stuck',
      expression: 'IF(waiting + working > 0 AND FILL(done, 0) == 0, 1, 0)',
      label: 'Work without progress',
      returnData: true,
    },
  ];
}

function queueMetric(
  id: string,
  queueName: string,
  metricName: string,
  stat: string,
): CloudwatchMetricAlarmMetricQuery {
  return {
    id,
    metric: {
      namespace: 'AWS/SQS',
      metricName,
      dimensions: { QueueName: queueName },
      period: PERIOD_SECONDS,
      stat,
    },
  };
}
