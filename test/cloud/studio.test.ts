import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import {
  CloudFrontClient,
  CreateDistributionWithTagsCommand,
  GetInvalidationCommand,
  ListInvalidationsCommand,
} from '@aws-sdk/client-cloudfront';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tagsOf } from '../../infra/names.ts';
import { describeWithEmulator } from '../aws/emulator.ts';
import { cloudSetting } from '../aws/setting.ts';
import type { Setting } from '../e2e/machine.ts';
import { Client } from '../studio/client.ts';
import { Deployed, ORIGIN } from './deployed.ts';
import { start } from './run.ts';
import type { Run } from './run.ts';

describeWithEmulator('The studio of a stage', () => {
  let setting: Setting;
  let deployed: Deployed;
  let studio: Run;
  let client: Client;
  beforeAll(async () => {
    setting = await cloudSetting();
    deployed = await Deployed.open('dev', setting.env);
    studio = start('studio', ['dev', '--port', '0']);
    const { stdout } = studio.child;
    if (!stdout) throw new Error('The studio has no standard output.');
    const [address] = (await once(createInterface(stdout), 'line')) as [string];
    client = await Client.open(new URL(address).origin);
  });
  afterAll(async () => {
    studio.child.kill('SIGINT');
    await studio.ended;
    deployed.close();
    await setting.close();
  });

  test('takes parts at addresses of the bucket, which are signed for one part each.', async () => {
    const opened = await client.ask('POST', 'uploads', { name: '강의 #1.mp4', sizeBytes: 3 });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    const { json } = await client.ask('POST', 'uploads/sign', { key, uploadId, partNumber: 1 });
    const { origin, pathname, searchParams } = new URL((json as { readonly url: string }).url);
    expect(origin).toBe(process.env['AWS_ENDPOINT_URL']);
    expect(decodeURIComponent(pathname)).toBe(`/source/${key}`);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      ...{ partNumber: '1', uploadId, 'X-Amz-SignedHeaders': 'host', 'X-Amz-Expires': '3600' },
    });
    expect([...searchParams.keys()].filter((name) => /checksum/i.test(name))).toEqual([]);
    const page = await fetch(`${client.origin}/studio/`);
    expect(page.headers.get('content-security-policy')).toContain(`connect-src 'self' ${origin};`);
  });

  test('starts a worker for what is uploaded, and tells where viewers will find it.', async () => {
    await deployed.wantWorkers(0);
    const id = await client.upload('talk.mp4', new Uint8Array(randomBytes(10)));
    expect(await deployed.wantedWorkers()).toBe(1);
    await client.item(id, 'waiting');
    expect(await client.library()).toMatchObject({ place: 'dev', origin: ORIGIN });
  });

  test('has the CDN forget what is deleted.', async () => {
    const cloudFront = new CloudFrontClient();
    const DistributionId = await distribution(cloudFront);
    const id = await client.upload('gone.mp4', new Uint8Array(randomBytes(10)));
    expect(await client.ask('DELETE', `items/${id}`)).toMatchObject({ status: 204 });
    const { InvalidationList } = await cloudFront.send(
      new ListInvalidationsCommand({ DistributionId }),
    );
    const [one] = InvalidationList?.Items ?? [];
    const { Invalidation } = await cloudFront.send(
      new GetInvalidationCommand({ DistributionId, Id: one?.Id }),
    );
    expect(Invalidation?.InvalidationBatch?.Paths?.Items).toEqual([`/v/${id}/*`, '/t/*']);
    cloudFront.destroy();
  });
});

/** Makes a distribution with the tags of the stage; returns its id. */
async function distribution(client: CloudFrontClient): Promise<string | undefined> {
  const { Distribution } = await client.send(
    new CreateDistributionWithTagsCommand({
      DistributionConfigWithTags: {
        DistributionConfig: {
          ...{ CallerReference: 'one', Comment: '', Enabled: true },
          Origins: { Quantity: 1, Items: [{ Id: 'delivery', DomainName: 'delivery.example' }] },
          DefaultCacheBehavior: {
            TargetOriginId: 'delivery',
            ViewerProtocolPolicy: 'redirect-to-https',
          },
        },
        Tags: { Items: Object.entries(tagsOf('dev')).map(([Key, Value]) => ({ Key, Value })) },
      },
    }),
  );
  return Distribution?.Id;
}
