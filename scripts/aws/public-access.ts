import { GetPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import type { PublicAccessBlockConfiguration, S3Client } from '@aws-sdk/client-s3';
import * as control from '@aws-sdk/client-s3-control';
import type { StageConfig } from '../../infra/config.ts';
import type { Readiness } from '../../infra/readiness.ts';

/**
 * Checks whether the stage's access mode is allowed: the account, its organization or an existing bucket can block public
 * access, and S3 would then refuse the delivery bucket's policy half-way through a deploy. Warns if the credentials may
 * not read these settings.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export async function publicAccess(
  s3: S3Client,
  { name, region, accessMode, existingBuckets }: StageConfig,
  account: string,
): Promise<Readiness> {
  if (accessMode === 'cdn-only') return { refusals: [], warnings: [] };
  const owners: [string, () => Promise<Block>][] = [
    [`Account ${account}`, () => ofAccount(region, account)],
  ];
  const { delivery } = existingBuckets;
  if (delivery !== undefined) owners.push([`The bucket ${delivery}`, () => ofBucket(s3, delivery)]);
  const refusals: string[] = [];
  const warnings: string[] = [];
  for (const [owner, readBlock] of owners) {
    const block = await readBlock();
    if (block === 'unknown') {
      warnings.push(
        `These credentials may not ask whether public buckets are blocked. If they are, stage ${name} ` +
          `cannot be deployed with accessMode ${accessMode}, and 'cdn-only' is the one to choose.`,
      );
    } else if (block.BlockPublicPolicy || block.RestrictPublicBuckets) {
      refusals.push(
        `${owner} blocks public access, which accessMode ${accessMode} of stage ${name} needs. ` +
          "Set accessMode to 'cdn-only' in infra/config.ts: viewers notice no difference.",
      );
    }
  }
  return { refusals, warnings };
}

type Block = PublicAccessBlockConfiguration | 'unknown';

async function ofAccount(region: string, account: string): Promise<Block> {
  const endpoint = process.env['AWS_ENDPOINT_URL'];
  const client = new control.S3ControlClient({
    region,
    // The SDK prefixes the host name with the account, which does not resolve on loopback.
    ...(endpoint === undefined ? {} : { endpointProvider: () => ({ url: new URL(endpoint) }) }),
  });
  try {
    const asked = new control.GetPublicAccessBlockCommand({ AccountId: account });
    return (await client.send(asked)).PublicAccessBlockConfiguration ?? {};
  } catch (error) {
    return withoutBlock(error);
  } finally {
    client.destroy();
  }
}

async function ofBucket(s3: S3Client, Bucket: string): Promise<Block> {
  try {
    const { PublicAccessBlockConfiguration } = await s3.send(
      new GetPublicAccessBlockCommand({ Bucket }),
    );
    return PublicAccessBlockConfiguration ?? {};
  } catch (error) {
    return withoutBlock(error);
  }
}

/** Maps the error of S3 for a setting that was never made, and a denied request. Throws any other error. */
function withoutBlock(error: unknown): Block {
  const { name } = error as Error;
  if (name === 'NoSuchPublicAccessBlockConfiguration') return {};
  if (name === 'AccessDenied') return 'unknown';
  throw error;
}
