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

describeWithEmulator('Before anything is planned', () => {
  const emulator = useEmulator();
  let s3: S3Client;
  let folder: string;

  beforeAll(() => {
    s3 = new S3Client({ forcePathStyle: true });
  });
  afterAll(() => s3.destroy());

  // A Terraform that knows its version, and writes down and refuses all else that it is asked.
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

  /** Runs a command on a stage of these settings, `mine`, in a folder of its own. */
  async function run(command: 'deploy' | 'teardown', settings: object, ...argv: string[]) {
    const own = { name: 'mine', region: 'eu-central-1', allowedSites: ['https://my.site'] };
    const stages = `import { stage } from '${CONFIG}';
      export const STAGES = [stage(${JSON.stringify({ ...own, ...settings })})];`;
    await writeFile(join(folder, 'stages.ts'), stages);
    const env = {
      VODSTACK_STAGES: join(folder, 'stages.ts'),
      // No container engine is found there.
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

  /** What Terraform writes of a stage's queues, or of what it has made of its storage when it is killed. */
  const state = (...resources: object[]) => JSON.stringify({ version: 4, outputs: {}, resources });
  const resource = (attributes: object, alias = '') => ({
    ...{ mode: 'managed', type: 'some', name: 'some' },
    provider: `provider["registry.terraform.io/hashicorp/aws"]${alias}`,
    instances: [{ attributes }],
  });
  const queueIn = (region: string, account = ACCOUNT) =>
    resource({ arn: `arn:aws:sqs:${region}:${account}:vodstack-mine-jobs` });

  test('a protected stage that nobody would hear of is refused.', async () => {
    const { code, out, err, asked } = await run('deploy', { protected: true });
    expect([code, out, asked]).toEqual([1, '', '']);
    expect(err).toMatch(
      /^Stage mine lacks alarmEmail \(without it, nobody gets its alarms\), monthlyBudgetUsd .*, state .*, accountId .*\n$/,
    );
  });

  test('its plan says so, and is shown all the same.', async () => {
    const { err } = await run('deploy', { protected: true }, '--plan');
    expect(err).toContain('A deploy is refused: Stage mine lacks alarmEmail');
    expect(err).toContain(`Stage mine: account ${ACCOUNT}, eu-central-1`);
  });

  test('another stage is warned, and deployed.', async () => {
    const { err } = await run('deploy', {});
    expect(err).toContain('Warning: Stage mine lacks alarmEmail');
    // It goes on, to what is missing on this machine.
    expect(err).toContain("The worker's image has to be built, and no container engine works here");
  });

  test('a first deploy says what it takes of the limits of the account.', async () => {
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
  ])('a stage with %s is refused where the account blocks it.', async (accessMode, remedy) => {
    await block(ALL);
    const { code, err, asked } = await run('deploy', { accessMode });
    await block(undefined);
    expect([code, asked]).toEqual([1, '']);
    expect(err).toContain(
      `Account ${ACCOUNT} blocks public access, which accessMode ${accessMode} of stage mine needs. ${remedy}`,
    );
  });

  test('a bucket that was there before is asked, too.', async () => {
    await bucket('my-videos');
    const all = { Bucket: 'my-videos', PublicAccessBlockConfiguration: ALL };
    await s3.send(new PutPublicAccessBlockCommand(all));
    const existingBuckets = { delivery: 'my-videos' };
    const { code, err } = await run('deploy', { accessMode: 'public-read', existingBuckets });
    expect(code).toBe(1);
    expect(err).toContain('The bucket my-videos blocks public access');
  });

  test('a block of access lists alone is none, nor is one for a stage that only its CDN reads.', async () => {
    await block({ ...ALL, BlockPublicPolicy: false, RestrictPublicBuckets: false });
    expect((await run('deploy', { accessMode: 'public-read' })).err).not.toContain('blocks public');
    await block(ALL);
    expect((await run('deploy', { accessMode: 'cdn-only' })).err).not.toContain('blocks public');
    await block(undefined);
  });

  test.each(['deploy', 'teardown'] as const)(
    'a stage that is elsewhere is not looked for in another region: %s.',
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

  test('a stage of another account is not looked for in this one, nor planned.', async () => {
    await writeFile(
      join(folder, 'terraform.mine-queues.tfstate'),
      state(queueIn('eu-central-1', '999999999999')),
    );
    const { code, err, asked } = await run('deploy', {}, '--plan');
    expect([code, asked]).toEqual([1, '']);
    expect(err).toContain('Stage mine is deployed to eu-central-1 of account 999999999999');
    expect(err).toContain('sign in to account 999999999999');
  });

  test('a bucket alone tells where a stage is that was cut off, and so does a state in a bucket.', async () => {
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

  test('a state in files is moved to the bucket that a stage names by now, and not begun anew.', async () => {
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

  test('states on this machine, which hold secrets, can be read by their owner alone.', async () => {
    const path = join(folder, 'terraform.mine-delivery.tfstate');
    await writeFile(path, state(), { mode: 0o644 });
    // In the place of the program that declares the stacks.
    const settings = { language: 'typescript', app: `umask >${folder}/umask`, projectId: 'umask' };
    await writeFile(
      join(folder, 'cdktf.json'),
      JSON.stringify({ ...settings, sendCrashReports: 'false' }),
    );
    await run('deploy', {}, '--plan');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'umask'), 'utf8')).toBe('0077\n');
  });

  test('a stage that is where it was goes on, and one that is gone may go elsewhere.', async () => {
    const path = join(folder, 'terraform.mine-queues.tfstate');
    const mine = resource({ arn: 'arn:aws:iam::123456789012:role/vodstack-mine-task' });
    await writeFile(path, state(mine, queueIn('eu-central-1')));
    expect((await run('deploy', {})).err).toContain('no container engine works here');
    await writeFile(path, state());
    const { err } = await run('deploy', { region: 'eu-west-1' });
    expect(err).toContain('no container engine works here');
  });

  /** Sets what the account blocks, or nothing. */
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
