import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeWithEmulator, useEmulator } from '../../aws/emulator.ts';
import { start } from './run.ts';

const ACCOUNT = '123456789012';
const CONFIG = new URL('../../../infra/config.ts', import.meta.url).href;
const WORKER = { memoryMiB: 4096, architecture: 'X86_64', spotPercent: 80 };
const ALL = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

describeWithEmulator('The checks before a deploy', () => {
  const emulator = useEmulator();
  let s3: S3Client;
  let folder: string;

  beforeAll(() => {
    s3 = new S3Client({ forcePathStyle: true });
  });
  afterAll(() => s3.destroy());

  // A Terraform stub that prints its version, and logs and refuses every other command.
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vodstack-before-'));
    const terraform = join(folder, 'terraform');
    await writeFile(
      terraform,
      `#!/bin/sh\n[ "$1" = version ] && echo '{"terraform_version":"1.11.4"}' && exit\necho "$*" >>${folder}/asked\nexit 1\n`,
    );
    await chmod(terraform, 0o755);
    return () => rm(folder, { recursive: true });
  });

  /** Runs a command on the stage `mine` with these settings, in a temporary folder. */
  async function run(command: 'deploy' | 'teardown', settings: object, ...argv: string[]) {
    const own = { name: 'mine', region: 'eu-central-1', allowedSites: ['https://my.site'] };
    const stages = `import { stage } from '${CONFIG}';
      export const STAGES = [stage(${JSON.stringify({ ...own, ...settings })})];`;
    await writeFile(join(folder, 'stages.ts'), stages);
    const env = {
      VODSTACK_STAGES: join(folder, 'stages.ts'),
      // The folder has no container engine.
      PATH: folder,
    };
    const ended = await start(command, ['mine', ...argv], env, folder).ended;
    const asked = await readFile(join(folder, 'asked'), 'utf8').catch(() => '');
    return { ...ended, asked };
  }

  const bucket = (Bucket: string) =>
    s3.send(
      new CreateBucketCommand({
        Bucket,
        CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
      }),
    );

  /** A Terraform state with these resources. */
  const state = (...resources: object[]) => JSON.stringify({ version: 4, outputs: {}, resources });
  const resource = (attributes: object, alias = '') => ({
    ...{ mode: 'managed', type: 'some', name: 'some' },
    provider: `provider["registry.terraform.io/hashicorp/aws"]${alias}`,
    instances: [{ attributes }],
  });
  const queueIn = (region: string, account = ACCOUNT) =>
    resource({ arn: `arn:aws:sqs:${region}:${account}:vodstack-mine-jobs` });

  test('A protected stage without alarms, budget, state bucket or account is refused', async () => {
    const { code, out, err, asked } = await run('deploy', { protected: true });
    expect([code, out, asked]).toEqual([1, '', '']);
    expect(err).toMatch(
      /^Stage mine lacks alarmEmail \(without it, nobody gets its alarms\), monthlyBudgetUsd .*, state .*, accountId .*\n$/,
    );
  });

  test('The plan of an incomplete protected stage is shown with the refusal', async () => {
    const { err } = await run('deploy', { protected: true }, '--plan');
    expect(err).toContain('A deploy is refused: Stage mine lacks alarmEmail');
    expect(err).toContain(`Stage mine: account ${ACCOUNT}, eu-central-1`);
  });

  test('An unprotected stage without alarms gets a warning and is deployed', async () => {
    const { err } = await run('deploy', {});
    expect(err).toContain('Warning: Stage mine lacks alarmEmail');
    // The deploy continues to the next check, which fails on this machine.
    expect(err).toContain("The worker's image has to be built, and no container engine works here");
  });

  test("A first deploy reports how much of the account's quotas it uses", async () => {
    const { err } = await run('deploy', { worker: { ...WORKER, cpuUnits: 2048 }, maxWorkers: 6 });
    expect(err).toContain(
      "Stage mine uses of this account's quotas: 3 cache policies of CloudFront (0 of 20 are in use), " +
        '1 VPC in eu-central-1 (of 5), and for 6 workers at once 12 vCPUs of Fargate, 80 % of them Spot',
    );
    await writeFile(join(folder, 'terraform.mine-queues.tfstate'), state(queueIn('eu-central-1')));
    expect((await run('deploy', {})).err).not.toContain('quotas');
  });

  test.each([
    ['public-read', "Set accessMode to 'cdn-only' in infra/config.ts"],
    ['public-read-via-cdn', "Set accessMode to 'cdn-only' in infra/config.ts"],
  ])(
    'A stage with accessMode %s is refused if the account blocks public access',
    async (accessMode, remedy) => {
      await block(ALL);
      const { code, err, asked } = await run('deploy', { accessMode });
      await block(undefined);
      expect([code, asked]).toEqual([1, '']);
      expect(err).toContain(
        `Account ${ACCOUNT} blocks public access, which accessMode ${accessMode} of stage mine needs. ${remedy}`,
      );
    },
  );

  test('The public access block of an existing bucket is checked too', async () => {
    await bucket('my-videos');
    const all = { Bucket: 'my-videos', PublicAccessBlockConfiguration: ALL };
    await s3.send(new PutPublicAccessBlockCommand(all));
    const existingBuckets = { delivery: 'my-videos' };
    const { code, err } = await run('deploy', { accessMode: 'public-read', existingBuckets });
    expect(code).toBe(1);
    expect(err).toContain('The bucket my-videos blocks public access');
  });

  test('A block of access lists alone does not matter, nor does any block to a cdn-only stage', async () => {
    await block({ ...ALL, BlockPublicPolicy: false, RestrictPublicBuckets: false });
    expect((await run('deploy', { accessMode: 'public-read' })).err).not.toContain('blocks public');
    await block(ALL);
    expect((await run('deploy', { accessMode: 'cdn-only' })).err).not.toContain('blocks public');
    await block(undefined);
  });

  test.each(['deploy', 'teardown'] as const)(
    'A stage that is deployed to another region is refused by %s',
    async (command) => {
      await writeFile(
        join(folder, 'terraform.mine-queues.tfstate'),
        state(queueIn('eu-central-1'), resource({ arn: 'arn:aws:logs:us-east-1:1:x' }, '.edge')),
      );
      const { code, out, err, asked } = await run(command, { region: 'eu-west-1' });
      expect([code, out, asked]).toEqual([1, '', '']);
      expect(err).toContain(
        `Stage mine is deployed to eu-central-1 of account ${ACCOUNT}, and this would look for it in ` +
          `eu-west-1 of account ${ACCOUNT}: all that is there would be forgotten, and paid for.`,
      );
      expect(err).toContain('set its region back to eu-central-1 in infra/config.ts');
    },
  );

  test('A stage that is deployed to another account is refused, even with --plan', async () => {
    await writeFile(
      join(folder, 'terraform.mine-queues.tfstate'),
      state(queueIn('eu-central-1', '999999999999')),
    );
    const { code, err, asked } = await run('deploy', {}, '--plan');
    expect([code, asked]).toEqual([1, '']);
    expect(err).toContain('Stage mine is deployed to eu-central-1 of account 999999999999');
    expect(err).toContain('sign in to account 999999999999');
  });

  test('A bucket in a state that a bucket keeps is enough to locate an interrupted stage', async () => {
    await bucket('my-states');
    const Body = state(
      resource({ arn: 'arn:aws:s3:::vodstack-mine-source', region: 'eu-central-1' }),
    );
    const Key = 'mine-storage.tfstate';
    await s3.send(new PutObjectCommand({ Bucket: 'my-states', Key, Body }));
    const { code, err } = await run('deploy', {
      region: 'eu-west-1',
      state: { bucket: 'my-states' },
    });
    expect(code).toBe(1);
    expect(err).toContain('Stage mine is deployed to eu-central-1 of account');
  });

  test("A state in local files must be moved to the stage's bucket before a deploy", async () => {
    const path = join(folder, 'terraform.mine-queues.tfstate');
    await writeFile(path, state(queueIn('eu-central-1')));
    const named = { state: { bucket: 'new-states' } };
    const { code, err, asked } = await run('deploy', named);
    expect([code, asked]).toEqual([1, '']);
    expect(err).toContain('The state of stage mine is in files here, and not in new-states');
    expect(err).toContain('  npx cdktf deploy state-mine\n');
    await bucket('new-states');
    const there = await run('deploy', named);
    expect(there.err).not.toContain('npx cdktf deploy');
    expect(there.err).toContain(
      'aws s3 mv terraform.mine-$one.tfstate s3://new-states/mine-$one.tfstate',
    );
    const Body = await readFile(path);
    const Key = 'mine-queues.tfstate';
    await s3.send(new PutObjectCommand({ Bucket: 'new-states', Key, Body }));
    await rm(path);
    expect((await run('deploy', named)).err).toContain('no container engine works here');
  });

  test('Local states, which hold secrets, are readable by their owner alone', async () => {
    const path = join(folder, 'terraform.mine-delivery.tfstate');
    await writeFile(path, state(), { mode: 0o644 });
    // Replaces the program that declares the stacks.
    const settings = { language: 'typescript', app: `umask >${folder}/umask`, projectId: 'umask' };
    await writeFile(
      join(folder, 'cdktf.json'),
      JSON.stringify({ ...settings, sendCrashReports: 'false' }),
    );
    await run('deploy', {}, '--plan');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'umask'), 'utf8')).toBe('0077\n');
  });

  test('A stage may stay where it is, and may move once it is destroyed', async () => {
    const path = join(folder, 'terraform.mine-queues.tfstate');
    const mine = resource({ arn: 'arn:aws:iam::123456789012:role/vodstack-mine-task' });
    await writeFile(path, state(mine, queueIn('eu-central-1')));
    expect((await run('deploy', {})).err).toContain('no container engine works here');
    await writeFile(path, state());
    const { err } = await run('deploy', { region: 'eu-west-1' });
    expect(err).toContain('no container engine works here');
  });

  /** Sets or removes the public access block of the account. */
  async function block(flags: Partial<typeof ALL> | undefined): Promise<void> {
    const inner = Object.entries(flags ?? {}).map(([name, value]) => `<${name}>${value}</${name}>`);
    const answer = await fetch(`${emulator.endpoint}/v20180820/configuration/publicAccessBlock`, {
      method: flags ? 'PUT' : 'DELETE',
      headers: {
        'x-amz-account-id': ACCOUNT,
        authorization: `AWS4-HMAC-SHA256 Credential=emulator/20261127/eu-central-1/s3/aws4_request`,
      },
      ...(flags
        ? {
            body: `<PublicAccessBlockConfiguration xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/">${inner.join('')}</PublicAccessBlockConfiguration>`,
          }
        : {}),
    });
    expect(answer.ok, await answer.text()).toBe(true);
  }
});
