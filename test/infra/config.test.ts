import { describe, expect, test } from 'vitest';
import { checkStages, stage, STAGES } from '../../infra/config.ts';

const own = { name: 'mine', region: 'eu-west-1', allowedSites: ['https://site.example'] };

describe('The stages', () => {
  test('The shipped stages are valid, and each has another access mode', () => {
    expect(checkStages(STAGES).map(({ name, accessMode }) => [name, accessMode])).toEqual([
      ['dev', 'public-read'],
      ['staging', 'public-read-via-cdn'],
      ['prod', 'cdn-only'],
    ]);
  });

  test('A stage needs a name, a region and sites only, and is cdn-only by default', () => {
    expect(checkStages([stage(own)])).toMatchObject([
      { ...own, accessMode: 'cdn-only', minWorkers: 0, openPosters: true, playbackTokens: false },
    ]);
  });

  test('The error names every mistake of every stage', () => {
    const first = stage({
      ...own,
      name: 'Mine',
      region: 'Frankfurt',
      allowedSites: ['https://site.example/path', 'https://*.example', 'https://*.site.example'],
      ladder: ['9000p'],
      minWorkers: 3,
      maxWorkers: 2,
    });
    const second = stage({
      ...own,
      accountId: '42',
      worker: { cpuUnits: 1024, memoryMiB: 512, architecture: 'X86_64', spotPercent: 101 },
      domain: { name: 'cdn.example.com', certificateArn: 'arn:aws:acm:eu-west-1:1:certificate/x' },
      monthlyBudgetUsd: 10,
      existingBuckets: { source: 'one', work: 'one' },
    });
    expect(() => checkStages([first, second])).toThrow(
      [
        'There are mistakes in infra/config.ts:',
        '  Mine: name is not 1 to 12 lower-case letters and digits',
        '  Mine: region is not a region',
        '  Mine: allowedSites.0 is not an origin like https://site.example or https://*.site.example',
        '  Mine: allowedSites.1 is not an origin like https://site.example or https://*.site.example',
        '  Mine: ladder.0 is none of 1080p, 720p, 540p, 360p, 234p',
        '  Mine: minWorkers is more than maxWorkers',
        '  mine: accountId is not 12 digits',
        '  mine: domain.certificateArn is not a certificate in us-east-1, the only region that CloudFront takes them from',
        '  mine: worker.spotPercent is more than 100',
        '  mine: worker.memoryMiB must be 2048 to 8192 in steps of 1024 for 1024 CPU units',
        '  mine: monthlyBudgetUsd can warn nobody: alarmEmail is missing',
        '  mine: existingBuckets names a bucket twice',
      ].join('\n'),
    );
  });

  test.each([
    [
      'a number of CPU units that Fargate does not have',
      { cpuUnits: 3000 },
      'worker.cpuUnits is none of 1024',
    ],
    [
      'too much memory for its CPU units',
      { memoryMiB: 20_480 },
      'worker.memoryMiB must be 4096 to 16384',
    ],
    [
      'memory between two steps of Fargate',
      { memoryMiB: 4097 },
      'worker.memoryMiB must be 4096 to 16384 in steps of 1024 for 2048 CPU units',
    ],
  ])('A stage with %s is refused', (_, change, sentence) => {
    const config = stage(own);
    expect(() => checkStages([{ ...config, worker: { ...config.worker, ...change } }])).toThrow(
      `mine: ${sentence}`,
    );
  });

  test.each(['cn-north-1', 'us-gov-west-1', 'us-iso-east-1', 'us-isob-east-1', 'eu-isoe-west-1'])(
    'A stage in %s is refused, because it is in another partition',
    (region) => {
      expect(() => checkStages([stage({ ...own, region })])).toThrow(
        'mine: region is in another partition than aws',
      );
    },
  );

  test.each(['eu-central-1', 'us-west-2', 'ap-southeast-7', 'il-central-1'])(
    'A stage in %s is valid',
    (region) => {
      expect(checkStages([stage({ ...own, region })])).toHaveLength(1);
    },
  );

  test('Two stages with the same name are refused', () => {
    expect(() => checkStages([stage(own), stage(own)])).toThrow('mine: two stages have this name');
  });

  test('A stage without sites is refused', () => {
    expect(() => checkStages([stage({ ...own, allowedSites: [] })])).toThrow(
      'mine: allowedSites is empty: nobody could watch',
    );
  });
});
