import type { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js';
import { Wafv2WebAcl } from '@cdktf/provider-aws/lib/wafv2-web-acl/index.js';
import { Construct } from 'constructs';
import { nameOf } from './names.ts';

/** Blocks IP addresses that send too many requests. */
export class Firewall extends Construct {
  readonly arn: string;

  constructor(
    scope: Construct,
    id: string,
    stage: string,
    limit: { readonly requestsPerFiveMinutes: number },
    provider: AwsProvider,
  ) {
    super(scope, id);
    const visibility = (metricName: string) => ({
      cloudwatchMetricsEnabled: true,
      sampledRequestsEnabled: true,
      metricName,
    });
    const acl = new Wafv2WebAcl(this, 'acl', {
      provider,
      name: nameOf(stage, 'firewall'),
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visibility(nameOf(stage, 'firewall')),
      rule: [
        {
          name: 'too-many-requests',
          priority: 1,
          action: { block: {} },
          statement: {
            rate_based_statement: {
              limit: limit.requestsPerFiveMinutes,
              aggregate_key_type: 'IP',
              evaluation_window_sec: 300,
            },
          },
          visibilityConfig: visibility(nameOf(stage, 'too-many-requests')),
        },
      ],
    });
    this.arn = acl.arn;
  }
}
