import { setTimeout as after } from 'node:timers/promises';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { StageConfig } from '../../infra/config.ts';
import { EDGE_REGION } from '../../infra/stack.ts';
import { listNamedResources } from './named-resources.ts';
import { taggedIn } from './tagged.ts';
import { findService } from './workers.ts';

/**
 * ECS keeps task definitions forever, and lists clusters and services for a while after they are deleted. None of them
 * costs anything once the service is gone.
 */
const ECS_REMNANT = /^arn:aws:ecs:[^:]*:\d+:(task-definition|cluster|service)\//;

/**
 * Lists the resources of a stage, by tags or name, in its region and the edge's, except the bucket that keeps the state. As
 * ARNs, where AWS has them.
 */
export async function findResources(config: StageConfig): Promise<readonly string[]> {
  const { name, region, state } = config;
  const arns = new Set<string>(await listNamedResources(config));
  for (const where of new Set([region, EDGE_REGION])) {
    for (const arn of await taggedIn(where, name)) arns.add(arn);
  }
  const ecsIsGone = !(await hasService(config));
  return [...arns]
    .filter((arn) => arn !== `arn:aws:s3:::${state?.bucket ?? ''}`)
    .filter((arn) => !(ecsIsGone && ECS_REMNANT.test(arn)))
    .sort();
}

/** Whether the workers' service still exists. */
async function hasService({ name, region }: StageConfig): Promise<boolean> {
  const ecs = new ECSClient({ region });
  try {
    const service = await findService(ecs, name);
    return service !== undefined && service.status !== 'INACTIVE';
  } finally {
    ecs.destroy();
  }
}

/** Lists what is left of a stage after teardown. Waits up to two minutes, as AWS's tag index lags behind deletions. */
export async function findLeftovers(
  config: StageConfig,
  stop: AbortSignal,
): Promise<readonly string[]> {
  for (let attempts = 12; ; attempts -= 1) {
    const left = await findResources(config);
    if (left.length === 0 || attempts === 0) return left;
    await after(10_000, undefined, { signal: stop });
  }
}
