import { CreateDistributionWithTagsCommand } from '@aws-sdk/client-cloudfront';
import type { CloudFrontClient } from '@aws-sdk/client-cloudfront';

/** Makes a distribution; returns its id. */
export async function makeDistribution(client: CloudFrontClient): Promise<string> {
  const { Distribution } = await client.send(
    new CreateDistributionWithTagsCommand({
      DistributionConfigWithTags: {
        DistributionConfig: {
          ...{ CallerReference: 'one', Comment: '', Enabled: true },
          Origins: { Quantity: 1, Items: [{ Id: 'delivery', DomainName: 'delivery.example' }] },
          DefaultCacheBehavior: {
            TargetOriginId: 'delivery',
            ViewerProtocolPolicy: 'redirect-to-https',
          },
        },
        Tags: { Items: [] },
      },
    }),
  );
  if (Distribution?.Id === undefined) throw new Error('There is no distribution.');
  return Distribution.Id;
}
