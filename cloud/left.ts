import { setTimeout as after } from 'node:timers/promises';
import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api';
import type { StageConfig } from '../infra/config.ts';
import { tagsOf } from '../infra/names.ts';
import { EDGE_REGION } from '../infra/stack.ts';

/**
 * The ARNs of all that carries a stage's tags, in its region and in the edge's. Not among them is what
 * costs nothing and cannot be deleted, or is to stay: task definitions of the past, and the bucket that
 * keeps the state.
 */
export async function tagged({ name, region, state }: StageConfig): Promise<readonly string[]> {
  const TagFilters = Object.entries(tagsOf(name)).map(([Key, value]) => ({ Key, Values: [value] }));
  const arns = new Set<string>();
  for (const where of new Set([region, EDGE_REGION])) {
    const client = new ResourceGroupsTaggingAPIClient({ region: where });
    for await (const page of paginateGetResources({ client }, { TagFilters })) {
      for (const { ResourceARN } of page.ResourceTagMappingList ?? [])
        if (ResourceARN) arns.add(ResourceARN);
    }
    client.destroy();
  }
  return [...arns]
    .filter((arn) => !arn.includes(':task-definition/') && arn !== `arn:aws:s3:::${state?.bucket}`)
    .sort();
}

/**
 * What is left of a stage when AWS has had two minutes to notice what was deleted: its index of tags is
 * behind.
 */
export async function leftOf(config: StageConfig, stop: AbortSignal): Promise<readonly string[]> {
  for (let looks = 12; ; looks -= 1) {
    const left = await tagged(config);
    if (left.length === 0 || looks === 0) return left;
    await after(10_000, undefined, { signal: stop });
  }
}
