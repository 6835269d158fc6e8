import {
  CloudFrontClient,
  ListCachePoliciesCommand,
  ListFunctionsCommand,
  ListOriginAccessControlsCommand,
  ListResponseHeadersPoliciesCommand,
} from '@aws-sdk/client-cloudfront';
import {
  CloudWatchClient,
  paginateDescribeAlarms,
  paginateListDashboards,
} from '@aws-sdk/client-cloudwatch';
import { IAMClient, paginateListRoles } from '@aws-sdk/client-iam';
import type { StageConfig } from '../infra/config.ts';
import { nameOf } from '../infra/names.ts';
import { EDGE_REGION } from '../infra/stack.ts';

/**
 * Lists whatever has a stage's name and is in no index of tags: roles, alarms, dashboards, and the functions, policies and
 * access controls of CloudFront. ARNs, or what it is and its name where AWS has none.
 */
export async function named({ name, region }: StageConfig): Promise<readonly string[]> {
  const prefix = nameOf(name, '');
  const regions = [...new Set([region, EDGE_REGION])];
  const found = await Promise.all([
    ofCloudFront(prefix),
    roles(prefix),
    ...regions.map((one) => ofCloudWatch(one, prefix)),
  ]);
  return found.flat();
}

async function roles(prefix: string): Promise<readonly string[]> {
  const client = new IAMClient({ region: EDGE_REGION });
  const arns: string[] = [];
  try {
    for await (const { Roles = [] } of paginateListRoles({ client }, {})) {
      for (const { RoleName, Arn } of Roles)
        if (RoleName?.startsWith(prefix) && Arn) arns.push(Arn);
    }
    return arns;
  } finally {
    client.destroy();
  }
}

async function ofCloudWatch(region: string, prefix: string): Promise<readonly string[]> {
  const client = new CloudWatchClient({ region });
  const arns: (string | undefined)[] = [];
  try {
    const dashboards = paginateListDashboards({ client }, { DashboardNamePrefix: prefix });
    for await (const { DashboardEntries = [] } of dashboards)
      arns.push(...DashboardEntries.map(({ DashboardArn }) => DashboardArn));
    const alarms = paginateDescribeAlarms({ client }, { AlarmNamePrefix: prefix });
    for await (const { MetricAlarms = [] } of alarms)
      arns.push(...MetricAlarms.map(({ AlarmArn }) => AlarmArn));
    return arns.filter((arn) => arn !== undefined);
  } finally {
    client.destroy();
  }
}

/** A page of one of CloudFront's lists: names, and where the next page begins. */
interface Page {
  readonly names: readonly (string | undefined)[];
  readonly next: string | undefined;
}

async function ofCloudFront(prefix: string): Promise<readonly string[]> {
  const client = new CloudFrontClient({ region: EDGE_REGION });
  const lists: Readonly<Record<string, (Marker: string | undefined) => Promise<Page>>> = {
    function: async (Marker) => {
      const { FunctionList: list } = await client.send(new ListFunctionsCommand({ Marker }));
      return { names: (list?.Items ?? []).map(({ Name }) => Name), next: list?.NextMarker };
    },
    'cache policy': async (Marker) => {
      const asked = new ListCachePoliciesCommand({ Marker, Type: 'custom' });
      const { CachePolicyList: list } = await client.send(asked);
      const names = (list?.Items ?? []).map(
        ({ CachePolicy }) => CachePolicy?.CachePolicyConfig?.Name,
      );
      return { names, next: list?.NextMarker };
    },
    'response headers policy': async (Marker) => {
      const asked = new ListResponseHeadersPoliciesCommand({ Marker, Type: 'custom' });
      const { ResponseHeadersPolicyList: list } = await client.send(asked);
      const names = (list?.Items ?? []).map(
        ({ ResponseHeadersPolicy }) => ResponseHeadersPolicy?.ResponseHeadersPolicyConfig?.Name,
      );
      return { names, next: list?.NextMarker };
    },
    'origin access control': async (Marker) => {
      const asked = new ListOriginAccessControlsCommand({ Marker });
      const { OriginAccessControlList: list } = await client.send(asked);
      return { names: (list?.Items ?? []).map(({ Name }) => Name), next: list?.NextMarker };
    },
  };
  const found: string[] = [];
  try {
    for (const [kind, list] of Object.entries(lists)) {
      let page: Page | undefined;
      do {
        page = await list(page?.next);
        for (const name of page.names) {
          // A function is there twice, as it is developed and as it is live.
          const what = `CloudFront ${kind} ${name}`;
          if (name?.startsWith(prefix) && !found.includes(what)) found.push(what);
        }
      } while (page.next);
    }
    return found;
  } finally {
    client.destroy();
  }
}
