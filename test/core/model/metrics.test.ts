import { expect, test } from 'vitest';
import { withMetrics } from '../../../core/model/metrics.ts';

const NOW = 1_795_651_200_000;

test('A line with a metric tells CloudWatch the metric and its unit', () => {
  const line = { event: 'message.received', queueWaitSeconds: 1.5 };
  expect(withMetrics(line, 'vodstack-dev-work', NOW)).toEqual({
    ...line,
    _aws: {
      Timestamp: NOW,
      CloudWatchMetrics: [
        {
          Namespace: 'vodstack-dev-work',
          Dimensions: [[]],
          Metrics: [{ Name: 'queueWaitSeconds', Unit: 'Seconds' }],
        },
      ],
    },
  });
});

test('A job without an asset is counted in total and by its code', () => {
  const line = { event: 'asset.rejected', code: 'no_video', notMade: 1 };
  expect(withMetrics(line, 'vodstack-dev-work', NOW)['_aws']).toEqual({
    Timestamp: NOW,
    CloudWatchMetrics: [
      {
        Namespace: 'vodstack-dev-work',
        Dimensions: [[], ['code']],
        Metrics: [{ Name: 'notMade', Unit: 'Count' }],
      },
    ],
  });
});

test('A line without metrics stays unchanged', () => {
  const line = { event: 'unit.done', code: 'x', redone: 'no number' };
  expect(withMetrics(line, 'vodstack-dev-work', NOW)).toEqual(line);
});
