import { randomUUID } from 'node:crypto';
import { CloudFrontClient, CreateInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { EDGE_REGION } from '../infra/stack.ts';
import { assetKeys } from '../worker/plan/keys.ts';
import { taggedIn } from './tagged.ts';

/**
 * Has a stage's CDN forget an asset, which it keeps for up to a year. One path with a star counts as one,
 * of a thousand a month that cost nothing:
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html
 */
export async function forgetAsset(stage: string, assetId: string): Promise<void> {
  const client = new CloudFrontClient({ region: EDGE_REGION });
  try {
    for (const arn of await taggedIn(EDGE_REGION, stage, 'cloudfront:distribution')) {
      await client.send(
        new CreateInvalidationCommand({
          DistributionId: arn.slice(arn.indexOf('/') + 1),
          InvalidationBatch: {
            CallerReference: randomUUID(),
            Paths: { Quantity: 1, Items: [`/${assetKeys(assetId)}*`] },
          },
        }),
      );
    }
  } finally {
    client.destroy();
  }
}
