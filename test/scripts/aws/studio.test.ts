import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import {
  CloudFrontClient,
  DeleteDistributionCommand,
  GetInvalidationCommand,
  ListInvalidationsCommand,
} from '@aws-sdk/client-cloudfront';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithEmulator } from '../../aws/emulator.ts';
import { cloudSetting } from '../../aws/setting.ts';
import type { Setting } from '../../e2e/machine.ts';
import { Client } from '../../studio/client.ts';
import { Deployed, ORIGIN } from './deployed.ts';
import { makeDistribution } from './distribution.ts';
import { start } from './run.ts';
import type { Run } from './run.ts';

describeWithEmulator('The studio of a stage', () => {
  let setting: Setting;
  let deployed: Deployed;
  let studio: Run;
  let client: Client;
  let cloudFront: CloudFrontClient;
  let DistributionId: string;
  beforeAll(async () => {
    setting = await cloudSetting();
    deployed = await Deployed.open('dev', setting.env);
    cloudFront = new CloudFrontClient();
    DistributionId = await makeDistribution(cloudFront);
    await deployed.distribution(DistributionId);
    studio = start('studio', ['dev', '--port', '0']);
    const { stdout } = studio.child;
    if (!stdout) throw new Error('The studio has no standard output.');
    const [address] = (await once(createInterface(stdout), 'line')) as [string];
    client = await Client.open(new URL(address).origin);
  });
  afterAll(async () => {
    studio.child.kill('SIGINT');
    await studio.ended;
    cloudFront.destroy();
    deployed.close();
    await setting.close();
  });

  test('The studio signs one address of the bucket for each part', async () => {
    const opened = await client.ask('POST', 'uploads', { name: '강의 #1.mp4', sizeBytes: 3 });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    const part = { key, uploadId, partNumber: 1, sizeBytes: 3 };
    const { json } = await client.ask('POST', 'uploads/sign', part);
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

  test('The studio starts a worker for an upload, and shows where viewers will find it', async () => {
    await deployed.wantWorkers(0);
    const id = await client.upload('talk.mp4', new Uint8Array(randomBytes(10)));
    expect(await deployed.wantedWorkers()).toBe(1);
    await client.item(id, 'waiting');
    expect(await client.library()).toMatchObject({ backendName: 'dev', origin: ORIGIN });
  });

  // The emulator's tag index does not have the distribution, like AWS's index, which lags.
  test('Deleting a video invalidates it at the CDN', async () => {
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
  });

  test('A video that could not be invalidated stays in the list', async () => {
    const id = await client.upload('kept.mp4', new Uint8Array(randomBytes(10)));
    await cloudFront.send(new DeleteDistributionCommand({ Id: DistributionId, IfMatch: 'E1' }));
    const { status } = await client.ask('DELETE', `items/${id}`);
    expect(status).toBe(500);
    await client.item(id, 'waiting');
  });
});
