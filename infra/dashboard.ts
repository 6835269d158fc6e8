import type { Metric } from '../core/model/metrics.ts';

interface DashboardProps {
  readonly region: string;
  readonly jobs: string;
  readonly units: string;
  readonly deadLetters: string;
  /** The name of the ECS service and of its cluster. */
  readonly service: string;
  readonly distributionId: string;
  /** The namespace of the workers' metrics (core/model/metrics.ts). */
  readonly metricsNamespace: string;
}

const WIDTH = 12;
const HEIGHT = 6;

/**
 * The body of the dashboard. Its graphs are in the order of the work, from the upload to the viewer.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function dashboardBody(props: DashboardProps): string {
  const { region, jobs, units, deadLetters, service, distributionId, metricsNamespace } = props;
  const queue = (metric: string, name: string, label: string, stat = 'Maximum') => [
    ...['AWS/SQS', metric, 'QueueName', name],
    { label, stat },
  ];
  const flow = (name: string) => [
    queue('ApproximateNumberOfMessagesVisible', name, 'waiting'),
    queue('ApproximateNumberOfMessagesNotVisible', name, 'worked on'),
    queue('NumberOfMessagesDeleted', name, 'done', 'Sum'),
  ];
  const workers = (metric: string, label: string, stat: string) => [
    ...['AWS/ECS', metric, 'ClusterName', service, 'ServiceName', service],
    { label, stat },
  ];
  const edge = (metric: string, label: string, stat: string) => [
    ...['AWS/CloudFront', metric, 'DistributionId', distributionId, 'Region', 'Global'],
    { label, stat, region: 'us-east-1' },
  ];
  const work = (metric: Metric, label: string, stat: string) => [
    metricsNamespace,
    metric,
    { label, stat },
  ];
  const byCode = `SEARCH('{"${metricsNamespace}",code} MetricName="notMade"', 'Sum')`;
  const graphs = [
    graph('Uploads and first minutes', region, flow(jobs)),
    graph('Later minutes', region, flow(units)),
    graph('Oldest message, seconds; dead letters', region, [
      queue('ApproximateAgeOfOldestMessage', jobs, 'uploads and first minutes'),
      queue('ApproximateAgeOfOldestMessage', units, 'later minutes'),
      queue('ApproximateNumberOfMessagesVisible', deadLetters, 'dead letters'),
    ]),
    graph('Wait for a worker, seconds; messages received again', region, [
      work('queueWaitSeconds', 'nine in ten waited less', 'p90'),
      work('queueWaitSeconds', 'longest', 'Maximum'),
      work('redone', 'received again', 'Sum'),
    ]),
    graph('Seconds of work for a minute of video', region, [
      work('secondsPerMinute', 'average', 'Average'),
    ]),
    graph('Uploads that became no video, by code', region, [[{ expression: byCode }]]),
    graph('Workers, percent of what they have', region, [
      workers('CPUUtilization', 'processor', 'Average'),
      workers('MemoryUtilization', 'memory', 'Maximum'),
    ]),
    graph('Edge: requests and bytes', 'us-east-1', [
      edge('Requests', 'requests', 'Sum'),
      edge('BytesDownloaded', 'bytes', 'Sum'),
    ]),
    graph('Edge: errors, percent', 'us-east-1', [
      edge('4xxErrorRate', '4xx', 'Average'),
      edge('5xxErrorRate', '5xx', 'Average'),
    ]),
  ];
  const widgets = graphs.map((properties, index) => ({
    type: 'metric',
    x: (index % 2) * WIDTH,
    y: Math.floor(index / 2) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties,
  }));
  return JSON.stringify({ widgets });
}

function graph(title: string, region: string, metrics: readonly (readonly unknown[])[]) {
  return { title, region, view: 'timeSeries', period: 60, metrics };
}
