import { CreateFunctionCommand, CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { beforeAll, expect, test } from 'vitest';
import { stage } from '../../../infra/config.ts';
import { edgeKeysParameter, nameOf } from '../../../infra/names.ts';
import { findUnrecorded, findAdoptable } from '../../../scripts/aws/adopt.ts';
import { openClients } from '../../../scripts/aws/clients.ts';
import type { Clients } from '../../../scripts/aws/clients.ts';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { untagged } from './untagged.ts';

const config = stage({
  name: 'mine',
  region: 'eu-central-1',
  allowedSites: ['https://my.site'],
  state: { bucket: 'my-states' },
});

describeWithEmulator('Unrecorded resources', () => {
  useEmulator();
  let clients: Clients;
  beforeAll(() => {
    clients = openClients(config);
  });

  const find = async () => (await findUnrecorded(clients, config)).unrecorded;

  test('An empty account has no unrecorded resources', async () => {
    expect(await find()).toEqual([]);
  });

  test('Unrecorded resources of a killed deploy are found by name, except those in a state', async () => {
    await untagged('mine');
    await untagged('other');
    const repositoryName = nameOf('mine', 'worker');
    await clients.ecr.send(new CreateRepositoryCommand({ repositoryName }));
    const ssm = new SSMClient();
    const keys = { Name: edgeKeysParameter('mine'), Value: 'a b', Type: 'SecureString' } as const;
    await ssm.send(new PutParameterCommand(keys));
    ssm.destroy();
    const cloudFront = new CloudFrontClient();
    await cloudFront.send(
      new CreateFunctionCommand({
        Name: nameOf('mine', 'edge-trial'),
        FunctionConfig: { Comment: '', Runtime: 'cloudfront-js-2.0' },
        FunctionCode: Buffer.from('function handler() {}'),
      }),
    );
    cloudFront.destroy();
    const role = { type: 'aws_iam_role', name: 'vodstack-mine-task', id: 'vodstack-mine-task' };
    const byId = (type: string, name: string) => ({
      ...{ type, name },
      id: expect.stringMatching(/^E\d+$/) as string,
    });
    const all = [
      ...['aws_cloudfront_function vodstack-mine-viewer-request'],
      ...['aws_ecr_repository vodstack-mine-worker', 'aws_ssm_parameter /vodstack/mine/edge-keys'],
    ].map((one) => {
      const [type, name] = one.split(' ');
      return { type, name, id: name };
    });
    const others = [
      byId('aws_cloudfront_cache_policy', 'vodstack-mine-versions'),
      byId('aws_cloudfront_response_headers_policy', 'vodstack-mine-response-headers'),
      byId('aws_cloudfront_origin_access_control', 'vodstack-mine-delivery'),
      ...all,
    ];
    const found = await find();
    expect(found).toHaveLength(others.length + 1);
    expect(found).toEqual(expect.arrayContaining([role, ...others]));

    await expect(findAdoptable(clients, config)).rejects.toThrow(
      /^There is something of stage mine in AWS, and its state in my-states knows nothing of it: .*aws_iam_role vodstack-mine-task/,
    );
    const resource = {
      ...{ mode: 'managed', type: role.type, name: 'task', provider: 'provider["aws"]' },
      instances: [{ attributes: { name: role.name } }],
    };
    const Bucket = 'my-states';
    const here = { LocationConstraint: 'eu-central-1' } as const;
    await clients.s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: here }));
    const Body = JSON.stringify({ version: 4, outputs: {}, resources: [resource] });
    const Key = 'mine-compute.tfstate';
    await clients.s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    const rest = await find();
    expect(rest).toHaveLength(others.length);
    expect(rest).not.toContainEqual(role);
    expect(await findAdoptable(clients, config)).toEqual(rest);
  });
});
