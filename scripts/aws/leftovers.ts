import { setTimeout as after } from 'node:timers/promises';
import { ECSClient } from '@aws-sdk/client-ecs';
import type { StageConfig } from '../../infra/config.ts';
import { EDGE_REGION } from '../../infra/stack.ts';
import { listNamedResources } from './named-resources.ts';
import { taggedIn } from './tagged.ts';
import { findService } from './workers.ts';

/**
 * ECS never forgets a task definition, and goes on telling of a cluster or a service that was deleted.
 * Neither costs anything: workers do, and a service that still exists keeps its cluster.
 */
const ECS_REMNANT = /^arn:aws:ecs:[^:]*:\d+:(task-definition|cluster|service)\//;

/**
 * All that is there of a stage, by its tags or by its name, in its region and in the edge's, but for the bucket
 * that keeps the state. ARNs, where AWS has them.
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

/**
 * What is left of a stage when AWS has had two minutes to notice what was deleted: its index of tags is
 * behind.
 */
export async function findLeftovers(
  config: StageConfig,
  stop: AbortSignal,
): Promise<readonly string[]> {
  for (let looks = 12; ; looks -= 1) {
    const left = await findResources(config);
    if (left.length === 0 || looks === 0) return left;
    await after(10_000, undefined, { signal: stop });
  }
}
