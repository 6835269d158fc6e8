import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api';
import { tagsOf } from '../../infra/names.ts';

/** Lists the ARNs of all resources in a region that carry a stage's tags. */
export async function taggedIn(region: string, stage: string): Promise<readonly string[]> {
  const client = new ResourceGroupsTaggingAPIClient({ region });
  const arns: string[] = [];
  try {
    const pages = paginateGetResources(
      { client },
      {
        TagFilters: Object.entries(tagsOf(stage)).map(([Key, value]) => ({ Key, Values: [value] })),
      },
    );
    for await (const { ResourceTagMappingList = [] } of pages) {
      for (const { ResourceARN } of ResourceTagMappingList) if (ResourceARN) arns.push(ResourceARN);
    }
    return arns;
  } finally {
    client.destroy();
  }
}
