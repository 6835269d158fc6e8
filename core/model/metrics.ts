/** The fields of log lines that are metrics, with their units in CloudWatch. */
const UNITS = {
  /** The time from sending a message to its first receive. */
  queueWaitSeconds: 'Seconds',
  /** 1 for a message that was received before or whose work has failed before. */
  redone: 'Count',
  /** The work of all workers together per minute of video. */
  secondsPerMinute: 'Seconds',
  /** 1 for a job that ended without an asset. Also counted by its code. */
  notMade: 'Count',
} as const;

export type Metric = keyof typeof UNITS;

/**
 * Adds the metadata from which CloudWatch reads the metrics of a log line, if it has any: the embedded metric format,
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function withMetrics(
  line: Readonly<Record<string, unknown>>,
  namespace: string,
  timestamp: number,
): Record<string, unknown> {
  const measured = Object.entries(UNITS).filter(([name]) => typeof line[name] === 'number');
  if (measured.length === 0) return { ...line };
  const metric = {
    Namespace: namespace,
    Dimensions: typeof line['code'] === 'string' ? [[], ['code']] : [[]],
    Metrics: measured.map(([Name, Unit]) => ({ Name, Unit })),
  };
  return { ...line, _aws: { Timestamp: timestamp, CloudWatchMetrics: [metric] } };
}
