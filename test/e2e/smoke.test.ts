import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Reply } from '../../core/http/reply.ts';
import type { Edge } from '../../edge/local/server.ts';
import { STAGES } from '../../infra/config.ts';
import { PLAYER_KEY } from '../../scripts/aws/player.ts';
import { describeWithEmulator } from '../aws/emulator.ts';
import { startRelay } from '../aws/relay.ts';
import type { Relay } from '../aws/relay.ts';
import { cloudSetting } from '../aws/setting.ts';
import { openCdn, startCdn } from '../edge/cdn.ts';
import type { Cdn } from '../edge/cdn.ts';
import { Deployed, ORIGIN } from '../scripts/aws/deployed.ts';
import { makeDistribution } from '../scripts/aws/distribution.ts';
import { run } from '../scripts/aws/run.ts';
import { testFunction } from '../scripts/aws/test-function.ts';
import { Machine } from './machine.ts';

const checksSchema = z.object({
  checks: z.array(z.object({ name: z.string(), status: z.enum(['ok', 'wrong', 'unanswered']) })),
});

/** Checks that need AWS itself. */
const NOT_ASKED = [
  'workers from none',
  'the CDN by plain HTTP',
  'a listing of the delivery bucket',
  'a listing of the source bucket',
  'a listing of the work bucket',
  'the delivery bucket by plain HTTP',
  "the CDN's logs",
];

describeWithEmulator('The smoke command with a worker and a CDN on loopback', () => {
  let machine: Machine;
  let deployed: Deployed;
  let cdn: Cdn;
  let served: Edge;
  let relay: Relay;
  let forgets = true;
  let hasEngine = true;
  let changed = (reply: Reply) => reply;
  beforeAll(async () => {
    machine = await Machine.open(cloudSetting);
    machine.start();
    deployed = await Deployed.open('dev', machine.env);
    const { store } = machine.backend;
    const [dev] = STAGES;
    if (dev === undefined) throw new Error('There is no stage dev.');
    const bucket = { store, name: machine.env.DELIVERY_BUCKET, originSecret: '' };
    cdn = openCdn(dev, { ...bucket, accessMode: dev.accessMode });
    served = await startCdn(cdn, (reply) => changed(reply));
    await deployed.origin(served.origin);
    const cloudFront = new CloudFrontClient();
    await deployed.distribution(await makeDistribution(cloudFront));
    cloudFront.destroy();
    const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
    const engine = testFunction(endpoint);
    relay = await startRelay(
      endpoint,
      ({ method, url = '' }) => {
        if (method === 'POST' && url.endsWith('/invalidation') && forgets) cdn.cache.clear();
      },
      (request, response) => hasEngine && engine(request, response),
    );
    const s3 = new S3Client({ forcePathStyle: true });
    const published = ['v/*', 'player/*'].map((one) => `arn:aws:s3:::${bucket.name}/${one}`);
    const read = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: published };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [read] });
    await s3.send(new PutBucketPolicyCommand({ Bucket: bucket.name, Policy }));
    s3.destroy();
    const contentType = 'text/javascript; charset=utf-8';
    await store.put(bucket.name, PLAYER_KEY, 'play();\n'.repeat(1000), { contentType });
  });
  afterAll(async () => {
    await served.close();
    await relay.close();
    deployed.close();
    await machine.close();
  });

  async function smoke() {
    const { code, out, err } = await run('smoke', ['dev', '--json'], {
      AWS_ENDPOINT_URL: relay.address,
    });
    expect(out, err).not.toBe('');
    const { checks } = checksSchema.parse(JSON.parse(out));
    const named = (wanted: string) =>
      checks.filter(({ status }) => status === wanted).map(({ name }) => name);
    return { code, err, out, ok: named('ok'), wrong: named('wrong'), not: named('unanswered') };
  }

  test('The smoke command finds nothing wrong in a sound stage, lists the checks that need AWS, and leaves nothing behind', async () => {
    const { code, out, ok, wrong, not } = await smoke();
    expect(wrong, out).toEqual([]);
    expect(code).toBe(0);
    expect(not).toEqual(NOT_ASKED);
    expect(ok).toEqual(
      expect.arrayContaining([
        "the edge function in CloudFront's engine",
        'a clip becomes a video',
        'a video before it is published',
        'a page of the site, with Origin',
        'the delivery bucket past the CDN, which anybody may read',
        'the clip is removed',
        'a video that was removed',
      ]),
    );
    const { store } = machine.backend;
    const left: string[] = [];
    for (const bucket of ['source', 'work', 'delivery']) {
      for await (const { key } of store.list(bucket, '')) left.push(key);
    }
    expect(left.filter((key) => !key.startsWith('deleted/'))).toEqual([PLAYER_KEY]);
  });

  test('The smoke command names what is wrong and what to do, and exits with 1', async () => {
    forgets = false;
    hasEngine = false;
    changed = ({ headers: { 'access-control-allow-origin': _, ...headers }, ...reply }) => ({
      ...reply,
      headers,
    });
    const { code, out, wrong } = await smoke();
    expect(code).toBe(1);
    expect(wrong).toEqual([
      'a page of the site, with Origin',
      'a preflight of the site',
      'a whole segment',
      'a range',
      'a video that was removed',
    ]);
    expect(out).toContain('access-control-allow-origin is');
    expect(out).toContain('./scripts/deploy dev');
  });

  test('The smoke command skips checks of a missing CDN and of a video that failed', async () => {
    await machine.stop();
    await deployed.origin(ORIGIN);
    machine.start({ FFPROBE: '/bin/false', MAX_FAILURES: '1' });
    const { code, out } = await run('smoke', ['dev'], { AWS_ENDPOINT_URL: relay.address });
    expect(code).toBe(1);
    expect(out).toMatch(/^Stage dev, https:/);
    expect(out).toMatch(
      /\n {2}WRONG {6}a clip becomes a video: .*\n {13}\.\/scripts\/dead-letters dev/,
    );
    expect(out).toContain(
      '\n  not asked  a video before it is published: the emulator of AWS has no CDN\n',
    );
    expect(out).toContain('\n  not asked  the video, as viewers fetch it: there is none\n');
    expect(out).toContain('\n  OK         the clip is removed: the CDN forgot it');
    expect(out).toMatch(/ 1 wrong, \d not asked, in \d+ s\.\n$/);
  });
});
