import { stage } from '../../infra/config.ts';

/** Has every optional setting that the shipped stages lack. */
export const FULL = stage({
  name: 'full',
  region: 'us-west-2',
  accountId: '123456789012',
  allowedSites: ['https://Site.example', 'https://*.Site.example'],
  playbackTokens: true,
  domain: {
    name: 'cdn.site.example',
    certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/abc',
  },
  firewall: { requestsPerFiveMinutes: 5000 },
  alarmEmail: 'ops@site.example',
  monthlyBudgetUsd: 50,
  state: { bucket: 'site-example-state' },
  worker: { cpuUnits: 4096, memoryMiB: 8192, architecture: 'ARM64', spotPercent: 75 },
  minWorkers: 1,
  maxWorkers: 50,
});

/** Uses existing buckets only. */
export const OWN_BUCKETS = stage({
  name: 'own',
  region: 'eu-west-1',
  allowedSites: ['https://site.example'],
  existingBuckets: {
    source: 'my-uploads',
    work: 'my-work',
    delivery: 'my-videos',
    logs: 'my-logs',
  },
});
