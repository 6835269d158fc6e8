import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DescribeTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../core/environment.ts';
import type { WorkerConfig } from '../../core/environment.ts';
import { openAwsBackend } from '../../core/storage/aws/backend.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { nameOf, tagsOf } from '../../infra/names.ts';
import { useEmulator, whyNoEmulator } from '../aws/emulator.ts';
import type { Emulator } from '../aws/emulator.ts';
import { startRelay } from '../aws/relay.ts';
import type { Relay } from '../aws/relay.ts';
import { clip } from '../e2e/clips.ts';
import { Worker } from '../e2e/machine.ts';
import { checkHls } from '../hls/check.ts';
import { actionOf } from '../scripts/aws/calls.ts';
import { pushByHand } from './image.ts';
import { openProject, whyNoTerraform } from './terraform.ts';
import type { Project } from './terraform.ts';

const WORKER = join(import.meta.dirname, '..', '..', 'worker', 'main.ts');

const why = whyNoTerraform() ?? whyNoEmulator;

const STACKS = ['storage', 'queues', 'delivery', 'compute', 'watching'].map((one) => `dev-${one}`);

const deployed = z.object({
  stage: z.literal('dev'),
  origin: z.url(),
  sourceBucket: z.string(),
  workBucket: z.string(),
  deliveryBucket: z.string(),
  jobQueueUrl: z.url(),
});

const uploaded = z.object({
  source: z.string(),
  status: z.literal('ready'),
  playlist: z.url(),
  durationSeconds: z.number(),
  renditions: z.array(z.string()),
});

const taskSchema = z.object({
  containerDefinitions: z
    .array(z.object({ environment: z.array(z.object({ name: z.string(), value: z.string() })) }))
    .length(1),
});

/** The provider asks for it where AWS itself would have been asked whose the credentials are. */
const ONLY_IN_AN_EMULATOR = new Set(['iam:GetUser']);

/** Rights that AWS demands beside the one of a call, or that this stage in an emulator has no use for. */
const BEYOND_CALLS = [
  // Of what is made with tags.
  ...[
    'application-autoscaling',
    'cloudfront',
    'cloudwatch',
    'ecr',
    'ecs',
    'events',
    'logs',
    'sns',
  ].map((service) => `${service}:TagResource`),
  ...['iam:TagRole', 'sqs:TagQueue'],
  // Of what acts for the stage.
  ...['iam:PassRole', 'iam:CreateServiceLinkedRole'],
  'cloudfront:AllowVendedLogDeliveryForResource',
  // Pushing the image.
  ...['ecr:GetAuthorizationToken', 'ecr:BatchCheckLayerAvailability', 'ecr:*LayerUpload'],
  ...['ecr:PutImage', 'ecr:UploadLayerPart'],
  // Of a stage with alarmEmail and monthlyBudgetUsd.
  ...['sns:GetSubscriptionAttributes', 'sns:Subscribe', 'sns:Unsubscribe'],
  ...[
    'budgets:ListTagsForResource',
    'budgets:ModifyBudget',
    'budgets:TagResource',
    'budgets:ViewBudget',
  ],
];

const policySchema = z.object({
  Statement: z.array(z.object({ Effect: z.literal('Allow'), Action: z.array(z.string()) })),
});

async function deployerActions(): Promise<readonly string[]> {
  const path = new URL('../../docs/policies/deployer.json', import.meta.url);
  const { Statement } = policySchema.parse(JSON.parse(await readFile(path, 'utf8')));
  return [...new Set(Statement.flatMap(({ Action }) => Action))].sort();
}

/** One line of JSON for each result. */
function lines(stdout: string): readonly unknown[] {
  return stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

describe.skipIf(why)(`The stage dev${why ? ` (skipped: ${why})` : ''}`, () => {
  const emulator = useEmulator();
  let project: Project;
  let empty: Awaited<ReturnType<Emulator['everything']>>;
  let made: z.infer<typeof deployed>;
  let env: WorkerConfig;
  let backend: Backend;
  let worker: Worker | undefined;
  let relay: Relay;
  /** Actions of IAM that deploy and teardown called, with all that they start; other commands are left out. */
  const called = new Set<string>();
  let isDeployer = true;

  beforeAll(async () => {
    relay = await startRelay(emulator.endpoint, (request, form) => {
      const [action] = actionOf(request, form)?.split(' ') ?? [];
      if (action !== undefined && isDeployer) called.add(action);
    });
    project = await openProject({ ...emulator.env, AWS_ENDPOINT_URL: relay.address });
    empty = await emulator.everything();
    backend = await openAwsBackend();
  });

  afterAll(async () => {
    worker?.kill('SIGKILL');
    await backend.close();
    await relay.close();
  });

  beforeEach(() => {
    isDeployer = true;
  });

  test('--plan shows the stage and creates nothing', async () => {
    const { code, stdout, stderr } = await project.script('deploy', 'dev', '--plan');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/Plan: 27 to add, 0 to change, 0 to destroy/);
    expect(stderr).toContain('Plan of dev-queues: all is new, and follows dev-storage.');
    expect(stderr).toContain('The player would be uploaded.');
    expect(await emulator.everything()).toEqual(empty);
  });

  test('cdktf alone creates the storage, for an image that is pushed by hand', async () => {
    const unattended = ['--auto-approve', '--skip-provider-lock', '--no-color'];
    const said = await project.cdktf('deploy', 'dev-storage', ...unattended);
    expect(said).toContain('Apply complete! Resources: 27 added');
    await pushByHand('dev');
  });

  test('One command deploys the stage, after a deploy that was killed', async () => {
    const making = /dev-queues .*dead-letters.*Still creating/;
    const killed = await project.broken(making, 'SIGKILL', 'deploy', 'dev');
    expect(killed).toMatchObject({ code: 'SIGKILL', stdout: '' });
    // As if it had been killed again, after making a role and before writing that down.
    const iam = new IAMClient();
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [] });
    const Tags = Object.entries(tagsOf('dev')).map(([Key, Value]) => ({ Key, Value }));
    const RoleName = nameOf('dev', 'task');
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, Tags }));
    iam.destroy();
    const { code, stdout, stderr } = await project.script('deploy', 'dev');
    expect(code, stderr).toBe(0);
    made = deployed.parse(JSON.parse(stdout));
    for (const stack of STACKS) expect(stderr).toContain(stack);
    expect(stderr).toContain('Terraform takes them over: aws_iam_role vodstack-dev-task.');
    expect(stderr).toContain(
      `Uploading the player to s3://${made.deliveryBucket}/player/vod-player.js.`,
    );
    expect(stderr).toContain("whoever knows the bucket's own address fetches there");
  });

  test('A second deploy changes nothing', async () => {
    const before = await emulator.everything();
    const { code, stdout, stderr } = await project.script('deploy', 'dev');
    expect(code, stderr).toBe(0);
    expect(stderr.match(/No changes\. Your infrastructure matches/g)).toHaveLength(STACKS.length);
    expect(deployed.parse(JSON.parse(stdout))).toEqual(made);
    expect(stderr).not.toContain('Uploading the player');
    expect(await emulator.everything()).toEqual(before);
  });

  test("A worker with the task definition's environment makes assets of files with hard names", async () => {
    isDeployer = false;
    const variables = await taskEnvironment(nameOf('dev', 'worker'));
    env = readConfig(variables);
    expect(env).toMatchObject({ SOURCE_BUCKET: made.sourceBucket, JOB_QUEUE: made.jobQueueUrl });
    // Besides, only what ECS gives: a region, credentials, and here where AWS is.
    worker = new Worker([process.execPath, WORKER], {
      PATH: process.env['PATH'],
      ...emulator.env,
      ...variables,
    });
    const names = ['#2 4 Protection with PropTypes.mp4', '강의 1강 – 소개.mp4'];
    const files = names.map((name) => clip({ name, seconds: 8, size: '640x360' }));
    const { code, stdout, stderr } = await project.script('upload', 'dev', ...files);
    expect(code, stderr).toBe(0);
    const results = lines(stdout).map((line) => uploaded.parse(line));
    expect(results.map(({ source }) => source).sort()).toEqual(names);
    for (const { playlist, renditions } of results) {
      expect(playlist).toContain(`${made.origin}/v/`);
      expect(renditions).toEqual(['360p', '234p']);
      // As anybody may, in this stage: at the bucket's own address.
      const read = async (path: string) => {
        const answer = await fetch(`${emulator.endpoint}/${made.deliveryBucket}${path}`);
        if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
        return Buffer.from(await answer.arrayBuffer());
      };
      const { pathname } = new URL(playlist);
      expect(await checkHls(read, pathname, { durationSeconds: 8 })).toEqual([]);
    }
  });

  test('An unusable file is rejected, and an unusable message becomes a dead letter', async () => {
    isDeployer = false;
    const notes = join(project.directory, 'notes.mp4');
    await writeFile(notes, 'These are notes, and no video.');
    const upload = await project.script('upload', 'dev', notes);
    expect(upload.code).toBe(1);
    expect(lines(upload.stdout)).toMatchObject([
      { status: 'rejected', code: 'unreadable_source', source: 'notes.mp4' },
    ]);

    await backend.queue(env.JOB_QUEUE).send('no JSON at all');
    const queue = backend.queue(env.DEAD_LETTER_QUEUE);
    const [letter] = await queue.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 30 });
    expect(letter).toMatchObject({ body: 'no JSON at all', receiveCount: 1 });
    await queue.release(letter?.receipt ?? '');
    const listed = await project.script('dead-letters', 'dev', 'list', '--json');
    expect(listed.stdout).toContain('no JSON at all');
    const dropped = await project.script('dead-letters', 'dev', 'drop', '--all', '--yes');
    expect(dropped).toMatchObject({ code: 0 });
    expect(await queue.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });

    worker?.kill('SIGTERM');
    expect(await worker?.ended).toBe(0);
  });

  test("Teardown asks for the stage's name", async () => {
    const before = await emulator.everything();
    const { code, stderr } = await project.script('teardown', 'dev');
    expect(code).toBe(1);
    expect(stderr).toContain('is deleted with all its videos. Type its name:');
    expect(stderr).toContain('Nobody can be asked here: add --yes.');
    expect(await emulator.everything()).toEqual(before);
  });

  test("Teardown deletes the stage with its buckets' content, and reports that nothing is left", async () => {
    const s3 = new S3Client({ forcePathStyle: true });
    const object = { Bucket: made.sourceBucket, Key: 'a+b %20 한국.mp4' };
    await s3.send(new PutObjectCommand({ ...object, Body: 'one' }));
    await s3.send(new PutObjectCommand({ ...object, Body: 'two' }));
    await s3.send(new DeleteObjectCommand(object));
    await s3.send(new CreateMultipartUploadCommand({ ...object, Key: 'unfinished.mp4' }));
    s3.destroy();
    const broken = await project.broken(
      /Destroying dev-delivery/,
      'SIGINT',
      'teardown',
      'dev',
      '--yes',
    );
    expect(broken).toMatchObject({ code: 130, stdout: '' });
    const { code, stdout, stderr } = await project.script('teardown', 'dev', '--yes');
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ stage: 'dev', left: [], kept: [] });
    expect(await emulator.everything()).toEqual(empty);
  });

  test('Teardown of a missing stage ends at once', async () => {
    const { code, stdout } = await project.script('teardown', 'dev', '--yes');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ stage: 'dev', left: [], kept: [] });
  });

  test('Deploy and teardown need exactly the rights in docs/policies/deployer.json', async () => {
    const allowed = await deployerActions();
    const matches = (pattern: string, action: string) =>
      new RegExp(`^${pattern.replaceAll('*', '\\w*')}$`).test(action);
    const actions = [...called].filter((one) => !ONLY_IN_AN_EMULATOR.has(one));
    expect(actions.filter((one) => !allowed.some((right) => matches(right, one)))).toEqual([]);
    const unused = allowed.filter((right) => !actions.some((one) => matches(right, one)));
    expect(unused.filter((right) => !BEYOND_CALLS.includes(right))).toEqual([]);
  });
});

/** What ECS would give a worker of that family as its environment. */
async function taskEnvironment(family: string): Promise<Readonly<Record<string, string>>> {
  const ecs = new ECSClient();
  const answer = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: family }));
  ecs.destroy();
  const [container] = taskSchema.parse(answer.taskDefinition).containerDefinitions;
  return Object.fromEntries(container?.environment.map(({ name, value }) => [name, value]) ?? []);
}
