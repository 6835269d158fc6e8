import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { WorkerEnv } from '../../../core/environment.ts';
import { assetIdOf, jobIdOf } from '../../../core/model/ids.ts';
import { jobKeys, pointerKey, unreferencedKey, versionKey } from '../../../core/model/keys.ts';
import { describeWithEmulator } from '../../aws/emulator.ts';
import { startRelay } from '../../aws/relay.ts';
import type { Relay } from '../../aws/relay.ts';
import { cloudSetting } from '../../aws/setting.ts';
import type { Setting } from '../../e2e/machine.ts';
import { putJson } from '../../put-json.ts';
import { Client } from '../../studio/client.ts';
import { actionOf } from './calls.ts';
import { Deployed } from './deployed.ts';
import { makeDistribution } from './distribution.ts';
import { emptied } from './emptied.ts';
import { run, start } from './run.ts';

const MIB = 2 ** 20;
const ASSET = '0123456789abcdef0123';

/** A Node module that sets the clock eleven minutes ahead. */
const LATER =
  '--import=data:text/javascript,globalThis.Date=class%20extends%20Date{constructor(...given)' +
  '{super(...(given.length?given:[Date.now()+660000]))}}';

const policySchema = z.object({
  Statement: z.array(
    z.object({
      Effect: z.literal('Allow'),
      Action: z.array(z.string()),
      Resource: z.array(z.string()),
    }),
  ),
});

/** The actions that a policy of docs/policies/ allows, with the bucket's role for those on a bucket. */
async function allowed(name: string): Promise<readonly string[]> {
  const path = new URL(`../../../docs/policies/${name}.json`, import.meta.url);
  const { Statement } = policySchema.parse(JSON.parse(await readFile(path, 'utf8')));
  const all = Statement.flatMap(({ Action, Resource }) =>
    Action.flatMap((action) =>
      action.startsWith('s3:')
        ? Resource.map((arn) => `${action} ${/:::vodstack-STAGE-(\w+)-/.exec(arn)?.[1] ?? arn}`)
        : [action],
    ),
  );
  return [...new Set(all)].sort();
}

test("IAM accepts the deployer's policy, even with the longest names", async () => {
  const path = new URL('../../../docs/policies/deployer.json', import.meta.url);
  const filled = (await readFile(path, 'utf8'))
    .replaceAll('STAGE', 'a'.repeat(12))
    .replaceAll('REGION', 'ap-northeast-1')
    .replaceAll('ACCOUNT', '123456789012');
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  expect(filled.replace(/\s/g, '').length).toBeLessThan(6144);
});

describeWithEmulator('The policies in docs/policies/', () => {
  let setting: Setting;
  let deployed: Deployed;
  let relay: Relay;
  let directory: string;
  let env: { readonly AWS_ENDPOINT_URL: string };
  const called = new Set<string>();
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vodstack-policies-'));
    setting = await cloudSetting();
    const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
    relay = await startRelay(endpoint, (request) => {
      const action = actionOf(request);
      if (action !== undefined) called.add(action);
    });
    env = { AWS_ENDPOINT_URL: relay.address };
    // Requests about a queue go to its own address.
    const text = JSON.stringify(setting.env).replaceAll(endpoint, relay.address);
    deployed = await Deployed.open('dev', JSON.parse(text) as WorkerEnv);
    const cloudFront = new CloudFrontClient();
    await deployed.distribution(await makeDistribution(cloudFront));
    cloudFront.destroy();
  });
  afterAll(async () => {
    await relay.close();
    deployed.close();
    await setting.close();
    await rm(directory, { recursive: true });
  });
  beforeEach(() => called.clear());

  /** The actions called, plus listing the buckets that are read: without it, S3 answers 403 for a missing object. */
  const needed = () => {
    const read = [...called].flatMap((one) => /^s3:GetObject (\w+)$/.exec(one)?.[1] ?? []);
    return [...new Set([...called, ...read.map((bucket) => `s3:ListBucket ${bucket}`)])].sort();
  };

  const file = async (name: string, bytes: number) => {
    const path = join(directory, name);
    await writeFile(path, randomBytes(bytes));
    return path;
  };

  test("The uploader's policy allows exactly what upload and status call", async () => {
    await deployed.wantWorkers(0);
    const path = await file('large.mp4', 20 * MIB);
    const cut = start('upload', ['dev', path, '--no-wait'], env);
    await expect.poll(() => called.has('s3:PutObject source'), { timeout: 60_000 }).toBe(true);
    cut.child.kill('SIGKILL');
    await cut.ended;
    await relay.idle();
    const { json } = await run('upload', ['dev', path, '--no-wait'], env);
    const { jobId, assetId } = z
      .tuple([z.object({ jobId: z.string(), assetId: z.string() })])
      .parse(json)[0];
    // Retries a rejected file.
    const { store } = setting.backend;
    const { SOURCE_BUCKET, WORK_BUCKET } = setting.env;
    await putJson(store, WORK_BUCKET, jobKeys(jobId).result, {
      ...{ type: 'asset.rejected', jobId, assetId, code: 'no_video', reason: 'No picture.' },
      source: { bucket: SOURCE_BUCKET, key: 'large.mp4' },
    });
    await utimes(path, new Date(0), new Date(0));
    await run('upload', ['dev', path, '--no-wait'], env);
    expect(await run('status', ['dev', '--json'], env)).toMatchObject({ code: 0 });
    expect(needed()).toEqual(await allowed('uploader'));
  });

  test("The operator's policy allows exactly what dead-letters, play-address and check call", async () => {
    const letters = setting.backend.queue(setting.env.DEAD_LETTER_QUEUE);
    await letters.send('one');
    await deployed.wantWorkers(0);
    await run('dead-letters', ['dev', 'list'], env);
    await run('dead-letters', ['dev', 'replay', '--all'], env);
    await setting.backend.store.put(
      setting.env.DELIVERY_BUCKET,
      `v/${ASSET}/index.m3u8`,
      '#EXTM3U',
    );
    await deployed.deployKeys('key-a key-b');
    expect(await run('play-address', ['dev', ASSET], env)).toMatchObject({ code: 0 });
    expect(await run('play-address', ['dev', '--rotate'], env)).toMatchObject({ code: 0 });
    // The plan of a newer version, of which only the asset is understood.
    const { store } = setting.backend;
    const { SOURCE_BUCKET: bucket, WORK_BUCKET } = setting.env;
    const { etag } = await store.put(bucket, 'silent.mp4', 'silent');
    const source = { bucket, key: 'silent.mp4', etag };
    const assetId = assetIdOf(source);
    await putJson(store, WORK_BUCKET, jobKeys(jobIdOf(assetId, {})).plan, { assetId, source });
    // Without a job.
    await store.put(bucket, 'unseen.mp4', 'unseen');
    // Of two versions that no pointer names, one has been so for long; the assets with two of them have their pointers read.
    const [old, young] = ['0', '1'].map((digit) => digit.repeat(16)) as [string, string];
    const [first, other] = ['e', 'f'].map((digit) => digit.repeat(20)) as [string, string];
    for (const [asset, version] of [
      [ASSET, old],
      [ASSET, young],
      [first, young],
      [other, old],
    ] as const) {
      await store.put(setting.env.DELIVERY_BUCKET, versionKey(asset, version, 'asset.json'), '{}');
    }
    const note = { since: new Date(0), isRemoving: false };
    await putJson(store, WORK_BUCKET, unreferencedKey({ assetId: other, version: old }), note);
    await emptied(setting.backend.queue(setting.env.JOB_QUEUE));
    const checked = await run('check', ['dev', '--json'], { ...env, NODE_OPTIONS: LATER });
    expect(checked).toMatchObject({ code: 0 });
    expect(checked.json).toMatchObject([{ freed: [{ assetId: other, objects: 1 }] }]);
    const kinds = z
      .tuple([z.object({ sent: z.array(z.object({ kind: z.string() })) })])
      .parse(checked.json)[0]
      .sent.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['upload', 'job']));
    expect(needed()).toEqual(await allowed('operator'));
  });

  test("The studio's policy allows exactly what the studio calls", async () => {
    await deployed.wantWorkers(0);
    const studio = start('studio', ['dev', '--port', '0'], env);
    const { stdout } = studio.child;
    if (!stdout) throw new Error('The studio has no standard output.');
    const [address] = (await once(createInterface(stdout), 'line')) as [string];
    const client = await Client.open(new URL(address).origin);
    const opened = await client.ask('POST', 'uploads', { name: 'left.mp4', sizeBytes: 3 });
    const { key, uploadId } = opened.json as { readonly key: string; readonly uploadId: string };
    for (const [what, status] of [
      ['parts', 200],
      ['abort', 204],
    ] as const) {
      const answer = await client.ask('POST', `uploads/${what}`, { key, uploadId });
      expect(answer).toMatchObject({ status });
    }
    const id = await client.upload('talk.mp4', new Uint8Array(randomBytes(10)));
    await client.item(id, 'waiting');
    expect(await client.ask('POST', `items/${id}/retry`)).toMatchObject({ status: 204 });
    const version = 'c'.repeat(16);
    const asset = {
      ...{ schema: 1, assetId: id, version, durationSeconds: 6, bytes: 0, thumbnails: [] },
      source: { bucket: setting.env.SOURCE_BUCKET, key: 'talk.mp4' },
      ...{ playlist: pointerKey(id), renditions: [], audio: [], skipped: [], leftOut: [] },
    };
    const { store } = setting.backend;
    const { DELIVERY_BUCKET } = setting.env;
    await putJson(store, DELIVERY_BUCKET, versionKey(id, version, 'asset.json'), asset);
    await store.put(DELIVERY_BUCKET, pointerKey(id), '#EXTM3U', { metadata: { version } });
    await client.item(id, 'ready');
    const renamed = await client.ask('POST', `items/${id}/title`, { title: 'A talk' });
    expect(renamed).toMatchObject({ status: 204 });
    expect(await client.ask('DELETE', `items/${id}`)).toMatchObject({ status: 204 });
    studio.child.kill('SIGINT');
    await studio.ended;
    expect(needed()).toEqual(await allowed('studio'));
  });
});
