import { randomUUID } from 'node:crypto';
import {
  CloudFrontClient,
  CreateInvalidationCommand,
  TooManyInvalidationsInProgress,
  waitUntilInvalidationCompleted,
} from '@aws-sdk/client-cloudfront';
import { EDGE_REGION } from '../../infra/stack.ts';
import { RequestError } from '../../studio/server/requests.ts';
import { assetPrefix } from '../../core/model/keys.ts';

/** A star stands at a path's end only, so that what was fetched with a token is forgotten of every asset. */
const WITH_TOKENS = '/t/*';

/**
 * Has a distribution forget an asset, which it keeps for up to a year: by the address that the edge function
 * made, and by that which viewers asked for, as AWS recommends where a function changes it:
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
 * A path with a star counts as one, of a thousand a month that cost nothing. Throws RequestError while the CDN
 * is busy with others: it takes 15 such paths at a time, and some minutes for each. Returns the id of the invalidation.
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

/** Waits until every edge has forgotten. Throws Error where that takes longer than so many seconds. */
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
