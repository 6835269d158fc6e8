import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  GetObjectCommand,
  HeadBucketCommand,
  NotFound,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import type { StageConfig } from '../../infra/config.ts';

/** Terraform's state of a stack: https://developer.hashicorp.com/terraform/internals/json-format */
export interface StackState {
  /** The number of resources that Terraform has created and not destroyed. */
  readonly resources: number;
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Types and names of the resources that have a name: `aws_iam_role vodstack-dev-task`. */
  readonly names: readonly string[];
  /** The locations of the resources in the stage's own region, as far as their ARNs tell. */
  readonly locations: readonly ResourceLocation[];
}

/** The account is undefined for a bucket, whose ARN has none. */
export interface ResourceLocation {
  readonly region: string;
  readonly account: string | undefined;
}

const EMPTY_STATE: StackState = { resources: 0, names: [], outputs: {}, locations: [] };

const stateFile = z.object({
  version: z.literal(4),
  outputs: z.record(z.string(), z.object({ value: z.unknown() })),
  resources: z.array(
    z.object({
      mode: z.enum(['managed', 'data']),
      type: z.string(),
      provider: z.string(),
      instances: z.array(z.object({ attributes: z.record(z.string(), z.unknown()).nullish() })),
    }),
  ),
});

type StateResource = z.infer<typeof stateFile>['resources'][number];

/** The provider of the edge's region (infra/stack.ts). */
const EDGE_PROVIDER = /\]\.edge$/;

/** Reads a stack's state from where infra/stack.ts keeps it: the stage's bucket, or the current folder. */
export async function readState(
  s3: S3Client,
  { state }: StageConfig,
  stack: string,
): Promise<StackState> {
  const text = await (state ? fromBucket(s3, state.bucket, stack) : fromFolder(stack));
  if (!text) return EMPTY_STATE;
  const { outputs, resources } = stateFile.parse(JSON.parse(text));
  const managed = resources.filter(({ mode }) => mode === 'managed');
  return {
    resources: managed.length,
    names: managed.flatMap(namesOf),
    locations: managed.filter(({ provider }) => !EDGE_PROVIDER.test(provider)).flatMap(locationsOf),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])),
  };
}

const withArn = z.object({ arn: z.string(), region: z.string().optional() });

const withName = z.object({ name: z.string() });

function namesOf({ type, instances }: StateResource): readonly string[] {
  return instances.flatMap(({ attributes }) => {
    const resource = withName.safeParse(attributes);
    return resource.success ? [`${type} ${resource.data.name}`] : [];
  });
}

/** By `arn:aws:<service>:<region>:<account>:…`. A bucket's ARN has neither; its region is a separate attribute. */
function locationsOf({ instances }: StateResource): readonly ResourceLocation[] {
  return instances.flatMap(({ attributes }) => {
    const resource = withArn.safeParse(attributes);
    if (!resource.success) return [];
    const [, , service, regionOfName, account] = resource.data.arn.split(':');
    const region = service === 's3' ? resource.data.region : regionOfName;
    return region ? [{ region, account: account || undefined }] : [];
  });
}

/** Whether the bucket that keeps the stage's state exists, or none is needed. */
export async function hasStateBucket(s3: S3Client, { state }: StageConfig): Promise<boolean> {
  if (!state) return true;
  try {
    await s3.send(new HeadBucketCommand({ Bucket: state.bucket }));
    return true;
  } catch (error) {
    if (error instanceof NotFound) return false;
    throw new Error(
      `The bucket ${state.bucket}, which is to keep Terraform's state, cannot be used: ` +
        `${String(error)}. Somebody else may have that name: choose another in infra/config.ts.`,
      { cause: error },
    );
  }
}

async function fromBucket(s3: S3Client, bucket: string, stack: string): Promise<string> {
  try {
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key: `${stack}.tfstate` }),
    );
    return (await Body?.transformToString()) ?? '';
  } catch (error) {
    if (error instanceof S3ServiceException && /^NoSuch(Key|Bucket)$/.test(error.name)) return '';
    throw error;
  }
}

async function fromFolder(stack: string): Promise<string> {
  const path = `terraform.${stack}.tfstate`;
  return existsSync(path) ? readFile(path, 'utf8') : '';
}
