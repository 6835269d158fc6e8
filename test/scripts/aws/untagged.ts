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
import { nameOf } from '../../../infra/names.ts';

/** Makes one of each kind of a stage, without tags. */
export async function untagged(name: string): Promise<void> {
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
