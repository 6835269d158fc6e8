import type { S3Client } from '@aws-sdk/client-s3';
import type { StageConfig } from '../infra/config.ts';
import { CONCERNS, stackName } from '../infra/names.ts';
import { readState } from './state.ts';

/**
 * Compares where a stage is, by Terraform's state, with where it would be looked for. Terraform takes what
 * it does not find there for deleted: it forgets it without a word, and it goes on costing money. Throws
 * Error naming both places and what to do.
 */
export async function requireSamePlace(
  s3: S3Client,
  config: StageConfig,
  account: string,
): Promise<void> {
  const { name, region } = config;
  const states = CONCERNS.map((concern) => readState(s3, config, stackName(name, concern)));
  const places = (await Promise.all(states)).flatMap((state) => state.places);
  const other =
    places.find((one) => one.account !== undefined && one.account !== account) ??
    places.find((one) => one.region !== region);
  if (other === undefined) return;
  const there = `${other.region} of account ${other.account ?? account}`;
  throw new Error(
    `Stage ${name} is deployed to ${there}, and this would look for it in ${region} of account ` +
      `${account}: all that is there would be forgotten, and paid for. Nothing was changed. To go on ` +
      `with it, ${remedy(other.account ?? account, account, other.region)}. To move it, do that, run ` +
      `./scripts/teardown ${name}, and then deploy it to its new place. To have both, give the new one ` +
      'another name.',
  );
}

function remedy(before: string, account: string, region: string): string {
  return before === account
    ? `set its region back to ${region} in infra/config.ts`
    : `sign in to account ${before}, and set its region to ${region} in infra/config.ts`;
}
