import {
  CloudFrontClient,
  CreateCachePolicyCommand,
  CreateFunctionCommand,
  CreateOriginAccessControlCommand,
  CreateResponseHeadersPolicyCommand,
} from '@aws-sdk/client-cloudfront';
import {
  CloudWatchClient,
  PutDashboardCommand,
  PutMetricAlarmCommand,
} from '@aws-sdk/client-cloudwatch';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { found } from '../../cloud/left.ts';
import { stage } from '../../infra/config.ts';
import { nameOf } from '../../infra/names.ts';
import { describeWithEmulator, startEmulator } from '../aws/emulator.ts';
import type { Emulator } from '../aws/emulator.ts';

const ACCOUNT = '123456789012';

describeWithEmulator('What is left of a stage', () => {
  const config = (name: string) =>
    stage({ name, region: 'eu-central-1', allowedSites: ['https://my.site'] });
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator();
    for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await emulator.stop();
  });

  test('is nothing in an account that knows nothing of it.', async () => {
    expect(await found(config('mine'))).toEqual([]);
  });

  test('is found by its name, where it is in no index of tags.', async () => {
    await untagged('mine');
    await untagged('mine2');
    expect(await found(config('mine'))).toEqual([
      'CloudFront cache policy vodstack-mine-versions',
      'CloudFront function vodstack-mine-viewer-request',
      'CloudFront origin access control vodstack-mine-delivery',
      'CloudFront response headers policy vodstack-mine-response-headers',
      `arn:aws:cloudwatch::${ACCOUNT}:dashboard/vodstack-mine-overview`,
      `arn:aws:cloudwatch:eu-central-1:${ACCOUNT}:alarm:vodstack-mine-dead-letters`,
      `arn:aws:iam::${ACCOUNT}:role/vodstack-mine-task`,
    ]);
  });
});

/** Makes one of each kind of a stage, without tags. */
async function untagged(name: string): Promise<void> {
  const cloudFront = new CloudFrontClient();
  const cloudWatch = new CloudWatchClient();
  const iam = new IAMClient();
  const cache = { MinTTL: 0, Name: nameOf(name, 'versions') };
  await cloudFront.send(new CreateCachePolicyCommand({ CachePolicyConfig: cache }));
  const headers = { Name: nameOf(name, 'response-headers') };
  await cloudFront.send(
    new CreateResponseHeadersPolicyCommand({ ResponseHeadersPolicyConfig: headers }),
  );
  await cloudFront.send(
    new CreateOriginAccessControlCommand({
      OriginAccessControlConfig: {
        Name: nameOf(name, 'delivery'),
        SigningProtocol: 'sigv4',
        SigningBehavior: 'always',
        OriginAccessControlOriginType: 's3',
      },
    }),
  );
  await cloudFront.send(
    new CreateFunctionCommand({
      Name: nameOf(name, 'viewer-request'),
      FunctionConfig: { Comment: '', Runtime: 'cloudfront-js-2.0' },
      FunctionCode: Buffer.from('function handler() {}'),
    }),
  );
  await cloudWatch.send(
    new PutDashboardCommand({
      DashboardName: nameOf(name, 'overview'),
      DashboardBody: '{"widgets":[]}',
    }),
  );
  await cloudWatch.send(
    new PutMetricAlarmCommand({
      AlarmName: nameOf(name, 'dead-letters'),
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      ComparisonOperator: 'GreaterThanThreshold',
      ...{ Statistic: 'Maximum', Period: 60, EvaluationPeriods: 1, Threshold: 0 },
    }),
  );
  const trust = { Version: '2012-10-17', Statement: [] };
  await iam.send(
    new CreateRoleCommand({
      RoleName: nameOf(name, 'task'),
      AssumeRolePolicyDocument: JSON.stringify(trust),
    }),
  );
  for (const client of [cloudFront, cloudWatch, iam]) client.destroy();
}
