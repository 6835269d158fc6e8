/**
 * Members of a log line that are measured, and their units in CloudWatch. Elsewhere they are numbers in the
 * log like any other.
 */
const UNITS = {
  /** From the sending of a message to its first receive. */
  queueWaitSeconds: 'Seconds',
  /** 1 for a message that was received before, or whose work has failed before. */
  redone: 'Count',
  /** Seconds of work, of all workers together, for a minute of video. */
  secondsPerMinute: 'Seconds',
  /** 1 for a job that ended without an asset, counted by its code, too. */
  notMade: 'Count',
} as const;

export type Metric = keyof typeof UNITS;

/**
 * A line of the log with what has CloudWatch read its metrics from it, if it has any: the embedded metric format,
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
