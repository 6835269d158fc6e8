import { randomUUID } from 'node:crypto';
import {
  CloudFrontClient,
  CreateInvalidationCommand,
  TooManyInvalidationsInProgress,
  waitUntilInvalidationCompleted,
} from '@aws-sdk/client-cloudfront';
import { assetPrefix } from '../../core/model/keys.ts';
import { EDGE_REGION } from '../../infra/stack.ts';
import { RequestError } from '../../studio/server/requests.ts';

/** A wildcard is possible only at the end of a path, so this covers the addresses with tokens of every asset. */
const WITH_TOKENS = '/t/*';

/**
 * Invalidates an asset, which a distribution caches for up to a year, and returns the id of the invalidation. The paths
 * cover both the URI that the edge function produces and the one that viewers request, as AWS recommends where a function
 * rewrites it: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
 * A path with a wildcard counts as one; a thousand a month are free. Throws RequestError while too many invalidations are
 * in progress: CloudFront takes 15 wildcard paths at a time, and some minutes for each.
 */
export async function invalidateAsset(DistributionId: string, assetId: string): Promise<string> {
  const client = new CloudFrontClient({ region: EDGE_REGION });
  try {
    const { Invalidation } = await client.send(
      new CreateInvalidationCommand({
        DistributionId,
        InvalidationBatch: {
          CallerReference: randomUUID(),
          Paths: { Quantity: 2, Items: [`/${assetPrefix(assetId)}*`, WITH_TOKENS] },
        },
      }),
    );
    return Invalidation?.Id ?? '';
  } catch (error) {
    if (!(error instanceof TooManyInvalidationsInProgress)) throw error;
    throw new RequestError(
      503,
      'This video is published no longer, but the CDN is still busy forgetting others. Delete it again in a few minutes.',
    );
  } finally {
    client.destroy();
  }
}

/** Waits until every edge has dropped the asset. Throws Error if that takes longer than `maxWaitTime` seconds. */
export async function waitForInvalidation(
  DistributionId: string,
  Id: string,
  maxWaitTime: number,
  abortSignal: AbortSignal,
): Promise<void> {
  const client = new CloudFrontClient({ region: EDGE_REGION });
  const waiting = { client, maxWaitTime, abortSignal, minDelay: 2, maxDelay: 20 };
  await waitUntilInvalidationCompleted(waiting, { DistributionId, Id }).finally(() =>
    client.destroy(),
  );
}
