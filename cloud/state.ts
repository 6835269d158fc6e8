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
import type { StageConfig } from '../infra/config.ts';

/** What Terraform knows of a stack: https://developer.hashicorp.com/terraform/internals/json-format */
export interface StackState {
  /** Resources that it made and has not destroyed. */
  readonly resources: number;
  readonly outputs: Readonly<Record<string, unknown>>;
}

const NOTHING: StackState = { resources: 0, outputs: {} };

const stateFile = z.object({
  version: z.literal(4),
  outputs: z.record(z.string(), z.object({ value: z.unknown() })),
  resources: z.array(z.object({ mode: z.enum(['managed', 'data']) })),
});

/** Reads a stack's state, where infra/stack.ts has it kept: in the stage's bucket, or in this folder. */
export async function readState(
  s3: S3Client,
  { state }: StageConfig,
  stack: string,
): Promise<StackState> {
  const text = await (state ? fromBucket(s3, state.bucket, stack) : fromFolder(stack));
  if (!text) return NOTHING;
  const { outputs, resources } = stateFile.parse(JSON.parse(text));
  return {
    resources: resources.filter(({ mode }) => mode === 'managed').length,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value])),
  };
}

/** Whether the bucket that keeps the stage's state is there, or none is needed. */
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
