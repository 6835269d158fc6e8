import { chmod, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetBucketPolicyCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { CONCERNS } from '../../infra/names.ts';
import { useEmulator, whyNoEmulator } from '../aws/emulator.ts';
import type { Emulator } from '../aws/emulator.ts';
import { pushByHand } from './image.ts';
import { openProject, terraform, whyNoTerraform } from './terraform.ts';
import type { Project } from './terraform.ts';

const why = whyNoTerraform() ?? whyNoEmulator;

/** A stage as it is shipped, with what is its owner's own. */
const shipped = (stage: string, own: object) => `
  import { STAGES as SHIPPED } from '${new URL('../../infra/config.ts', import.meta.url).href}';
  const stage = SHIPPED.find(({ name }) => name === '${stage}');
  export const STAGES = [{ ...stage, ...${JSON.stringify(own)} }];
`;

/** Staging, of somebody who has buckets already, and wants the state kept in another. */
const EXISTING = { source: 'my-uploads', delivery: 'my-videos' };
const STATE = 'my-states';
const STAGING = {
  allowedSites: ['https://staging.my.site'],
  existingBuckets: EXISTING,
  state: { bucket: STATE },
};

/** Prod, with all that a protected stage needs. */
const PROD_STATE = 'my-prod-states';
const PROD = {
  allowedSites: ['https://www.my.site', 'https://my.site'],
  accountId: '123456789012',
  alarmEmail: 'ops@my.site',
  monthlyBudgetUsd: 50,
  state: { bucket: PROD_STATE },
};

/** In the place of Docker, as there is no registry to push to: it says that all is well. */
async function standInEngine(): Promise<string> {
  const programs = await mkdtemp(join(tmpdir(), 'vodstack-engine-'));
  const program = join(programs, 'docker');
  await writeFile(program, `#!/bin/sh\necho "docker $1" >>${programs}/log\n`);
  await chmod(program, 0o755);
  return programs;
}

const deployed = z.object({ sourceBucket: z.string(), deliveryBucket: z.string() });

describe.skipIf(why)(`The other access modes${why ? ` (skipped: ${why})` : ''}`, () => {
  const s3 = new S3Client({ region: 'eu-central-1', forcePathStyle: true });
  const emulator = useEmulator();
  let staging: Project;
  let prod: Project;
  let before: Awaited<ReturnType<Emulator['everything']>>;
  const buckets = new Map<string, z.infer<typeof deployed>>();

  beforeAll(async () => {
    for (const Bucket of [...Object.values(EXISTING), PROD_STATE]) {
      await s3.send(
        new CreateBucketCommand({
          Bucket,
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
        }),
      );
    }
    for (const Bucket of Object.values(EXISTING)) {
      await s3.send(new PutObjectCommand({ Bucket, Key: 'mine.txt', Body: 'mine' }));
    }
    staging = await openProject(emulator.env, shipped('staging', STAGING));
    prod = await openProject(emulator.env, shipped('prod', PROD));
    before = await emulator.everything();
  });

  afterAll(() => s3.destroy());

  /** Both at once: most of the time is the provider's, which waits for what it made. */
  const both = <Result>(work: (project: Project, stage: 'staging' | 'prod') => Promise<Result>) =>
    Promise.all([work(staging, 'staging'), work(prod, 'prod')]);

  // One from the bucket of its state on, in one command; the other after a Ctrl-C on the way.
  test('Stages with the other access modes are deployed as a whole', async () => {
    const programs = await standInEngine();
    vi.stubEnv('PATH', `${programs}:${process.env['PATH'] ?? ''}`);
    await both(async (project, stage) => {
      if (stage === 'prod') {
        const unattended = ['--auto-approve', '--skip-provider-lock', '--no-color'];
        await project.cdktf('deploy', 'prod-storage', ...unattended);
        await pushByHand(stage);
        const making = /prod-queues .*Still creating/;
        const stopped = await project.broken(making, 'SIGINT', 'deploy', 'prod');
        expect(stopped).toMatchObject({ code: 130, stdout: '' });
      }
      const { code, stdout, stderr } = await project.script('deploy', stage);
      expect(code, stderr).toBe(0);
      buckets.set(stage, deployed.parse(JSON.parse(stdout)));
    });
    const asked = await readFile(join(programs, 'log'), 'utf8');
    expect(asked.trim().split('\n')).toEqual(
      ['info', 'build', 'login', 'push', 'logout'].map((one) => `docker ${one}`),
    );
    const states = await s3.send(new ListObjectsV2Command({ Bucket: STATE }));
    expect(states.Contents?.map(({ Key }) => Key)).toEqual(
      [...CONCERNS].sort().map((concern) => `staging-${concern}.tfstate`),
    );
    expect(buckets.get('staging')).toEqual({
      sourceBucket: EXISTING.source,
      deliveryBucket: EXISTING.delivery,
    });
  });

  test('A second plan of the stages shows no changes', async () => {
    await both(async (project, stage) => {
      const { code, stdout, stderr } = await project.script('deploy', stage, '--plan');
      expect(code, stderr).toBe(0);
      expect(stdout.match(/No changes\. Your infrastructure matches/g)).toHaveLength(5);
    });
  });

  test('Another Spot share updates the service in place, and replacing the service replaces its scaling', async () => {
    const compute = join(prod.directory, 'cdktf.out', 'stacks', 'prod-compute');
    const spare = join(compute, 'cdk.tf.json');
    const written = await readFile(spare, 'utf8');
    const plan = (...argv: string[]) => terraform(compute, ['plan', ...argv], emulator.env);
    expect(written.match(/"weight": 80/g)).toHaveLength(1);
    await writeFile(spare, written.replace('"weight": 80', '"weight": 60'));
    const changed = await plan();
    await writeFile(spare, written);
    expect(changed).toContain('Plan: 0 to add, 1 to change, 0 to destroy.');
    // Replaces the service, the scaling target and its two policies; both alarms get the new policies.
    const replaced = await plan('-replace=aws_ecs_service.workers');
    expect(replaced).toContain('Plan: 4 to add, 2 to change, 4 to destroy.');
  });

  test('Published objects are readable by the access mode, and others by nobody', async () => {
    const ssm = new SSMClient();
    const { Parameter } = await ssm.send(
      new GetParameterCommand({ Name: '/vodstack-staging-origin-secret', WithDecryption: true }),
    );
    ssm.destroy();
    const [secret = '', before = ''] = Parameter?.Value?.split(' ') ?? [];
    for (const one of [secret, before]) expect(one).toMatch(/^[0-9a-f-]{73}$/);
    const status = async (stage: string, key: string, referer?: string) => {
      const Bucket = buckets.get(stage)?.deliveryBucket ?? '';
      await s3.send(new PutObjectCommand({ Bucket, Key: key, Body: 'x' }));
      const headers = referer === undefined ? {} : { referer };
      return (await fetch(`${emulator.endpoint}/${Bucket}/${key}`, { headers })).status;
    };
    expect(await status('staging', 'v/a/index.m3u8')).toBe(403);
    expect(await status('staging', 'v/a/index.m3u8', secret)).toBe(200);
    expect(await status('staging', 'v/a/index.m3u8', before)).toBe(200);
    expect(await status('staging', 'other/a', secret)).toBe(403);
    expect(await status('prod', 'v/a/index.m3u8')).toBe(403);
    const policy = new GetBucketPolicyCommand({ Bucket: buckets.get('prod')?.deliveryBucket });
    expect((await s3.send(policy)).Policy).toContain('cloudfront.amazonaws.com');
  });

  test('A deploy from a folder without the state changes nothing and lists the resources', async () => {
    const elsewhere = await openProject(emulator.env);
    const there = await emulator.everything();
    const lost = await elsewhere.script('teardown', 'prod', '--yes', '--even-protected');
    expect(lost.code).toBe(1);
    expect(lost.stderr).toContain('Terraform knows of nothing in stage prod');
    expect(lost.stdout).toContain(buckets.get('prod')?.sourceBucket);
    expect(lost.stdout).toContain(':distribution/');
    expect(await emulator.everything()).toEqual(there);
  });

  test('Teardown asks twice about a protected stage', async () => {
    const asked = await prod.script('teardown', 'prod', '--yes');
    expect(asked).toMatchObject({ code: 1, stdout: '' });
    expect(asked.stderr).toContain('add --even-protected');
    await both(async (project, stage) => {
      const sure = stage === 'prod' ? ['--even-protected'] : [];
      const { code, stdout, stderr } = await project.script('teardown', stage, '--yes', ...sure);
      expect(code, stderr).toBe(0);
      const kept = stage === 'staging' ? [...Object.values(EXISTING), STATE] : [PROD_STATE];
      expect(JSON.parse(stdout)).toEqual({ stage, left: [], kept });
    });
    const after = { ...before, buckets: [...(before['buckets'] ?? []), STATE].sort() };
    expect(await emulator.everything()).toEqual(after);
  });

  test('Teardown keeps existing buckets', async () => {
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: EXISTING.delivery }),
    );
    expect(Contents.map(({ Key }) => Key)).toEqual([
      ...['mine.txt', 'other/a', 'player/vod-player.js', 'v/a/index.m3u8'],
    ]);
    const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: EXISTING.source }));
    expect(KeyCount).toBe(1);
  });
});
