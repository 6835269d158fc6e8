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
import type { StageConfig } from '../../infra/config.ts';
import { nameOf } from '../../infra/names.ts';
import { EDGE_REGION } from '../../infra/stack.ts';

/** A resource that Terraform can import. */
export interface Importable {
  /** Terraform's resource type: `aws_iam_role`. */
  readonly type: string;
  readonly name: string;
  /** The import id. */
  readonly id: string;
}

export interface NamedResource extends Importable {
  /** Its ARN, or its kind and name if AWS has no ARN for it. */
  readonly label: string;
}

/**
 * Lists the labels of the resources that carry a stage's name but are not in AWS's tag index: roles, alarms, dashboards, and
 * CloudFront's functions, policies and access controls.
 */
export async function listNamedResources({
  name,
  region,
}: StageConfig): Promise<readonly string[]> {
  const prefix = nameOf(name, '');
  const regions = [...new Set([region, EDGE_REGION])];
  const found = await Promise.all([
    listGlobalResources(prefix),
    ...regions.map((one) => listCloudWatch(one, prefix)),
  ]);
  return found.flatMap((list) => list.map((one) => (typeof one === 'string' ? one : one.label)));
}

/** Lists the resources whose names are unique in an account, so that AWS refuses to create them twice: roles and CloudFront's. */
export async function listGlobalResources(prefix: string): Promise<readonly NamedResource[]> {
  return [...(await listCloudFront(prefix)), ...(await listRoles(prefix))];
}

async function listRoles(prefix: string): Promise<readonly NamedResource[]> {
  const client = new IAMClient({ region: EDGE_REGION });
  const found: NamedResource[] = [];
  try {
    for await (const { Roles = [] } of paginateListRoles({ client }, {})) {
      for (const { RoleName: name, Arn: label } of Roles)
        if (name?.startsWith(prefix) && label)
          found.push({ type: 'aws_iam_role', name, id: name, label });
    }
    return found;
  } finally {
    client.destroy();
  }
}

async function listCloudWatch(region: string, prefix: string): Promise<readonly string[]> {
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

/** A page of one of CloudFront's lists; `next` is the marker of the next page. */
interface Page {
  readonly items: readonly {
    readonly name: string | undefined;
    readonly id: string | undefined;
  }[];
  readonly next: string | undefined;
}

async function listCloudFront(prefix: string): Promise<readonly NamedResource[]> {
  const client = new CloudFrontClient({ region: EDGE_REGION });
  const lists: Readonly<Record<string, (Marker: string | undefined) => Promise<Page>>> = {
    function: async (Marker) => {
      const { FunctionList: list } = await client.send(new ListFunctionsCommand({ Marker }));
      const items = (list?.Items ?? []).map(({ Name: name }) => ({ name, id: name }));
      return { items, next: list?.NextMarker };
    },
    'cache policy': async (Marker) => {
      const asked = new ListCachePoliciesCommand({ Marker, Type: 'custom' });
      const { CachePolicyList: list } = await client.send(asked);
      const items = (list?.Items ?? []).map(({ CachePolicy: one }) => ({
        name: one?.CachePolicyConfig?.Name,
        id: one?.Id,
      }));
      return { items, next: list?.NextMarker };
    },
    'response headers policy': async (Marker) => {
      const asked = new ListResponseHeadersPoliciesCommand({ Marker, Type: 'custom' });
      const { ResponseHeadersPolicyList: list } = await client.send(asked);
      const items = (list?.Items ?? []).map(({ ResponseHeadersPolicy: one }) => ({
        name: one?.ResponseHeadersPolicyConfig?.Name,
        id: one?.Id,
      }));
      return { items, next: list?.NextMarker };
    },
    'origin access control': async (Marker) => {
      const asked = new ListOriginAccessControlsCommand({ Marker });
      const { OriginAccessControlList: list } = await client.send(asked);
      const items = (list?.Items ?? []).map(({ Name: name, Id: id }) => ({ name, id }));
      return { items, next: list?.NextMarker };
    },
  };
  // CloudFront lists a function twice, for its stages DEVELOPMENT and LIVE.
  const found = new Map<string, NamedResource>();
  try {
    for (const [kind, list] of Object.entries(lists)) {
      let page: Page | undefined;
      do {
        page = await list(page?.next);
        for (const { name, id } of page.items) {
          const label = `CloudFront ${kind} ${name}`;
          const type = `aws_cloudfront_${kind.replaceAll(' ', '_')}`;
          if (name?.startsWith(prefix) && id) found.set(label, { type, name, id, label });
        }
      } while (page.next);
    }
    return [...found.values()];
  } finally {
    client.destroy();
  }
}
