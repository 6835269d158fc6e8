import type { S3Client } from '@aws-sdk/client-s3';
import type { StageConfig } from '../../infra/config.ts';
import { CONCERNS, stackName, stateStackName } from '../../infra/names.ts';
import { hasStateBucket, readState } from './state.ts';
import type { StackState } from './state.ts';

/**
 * Requires that a stage is deployed, by Terraform's state, in the region and account that its configuration and the
 * credentials name. Terraform takes resources that it does not find there for deleted: it drops them from the state
 * silently, and they go on costing money. Throws Error naming both locations and a remedy, also if the stage's state has
 * not been moved to the bucket that it names.
 */
export async function requireRecordedLocation(
  s3: S3Client,
  config: StageConfig,
  account: string,
): Promise<void> {
  const { name, region } = config;
  const states = await readStates(s3, config);
  await requireStateInBucket(s3, config, states);
  const locations = states.flatMap((state) => state.locations);
  const other =
    locations.find((one) => one.account !== undefined && one.account !== account) ??
    locations.find((one) => one.region !== region);
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

function readStates(s3: S3Client, config: StageConfig): Promise<readonly StackState[]> {
  return Promise.all(
    CONCERNS.map((concern) => readState(s3, config, stackName(config.name, concern))),
  );
}

/** Throws Error if the state is in local files, and none of it in the bucket that the stage names. */
async function requireStateInBucket(
  s3: S3Client,
  config: StageConfig,
  states: readonly StackState[],
): Promise<void> {
  const { state, ...inFiles } = config;
  if (!state || states.some(({ resources }) => resources > 0)) return;
  const files = await readStates(s3, inFiles);
  if (files.every(({ resources }) => resources === 0)) return;
  const { name } = config;
  throw new Error(
    `The state of stage ${name} is in files here, and not in ${state.bucket}, which infra/config.ts names: ` +
      'everything would be made a second time. Nothing was changed. Move it there first:\n' +
      ((await hasStateBucket(s3, config)) ? '' : `  npx cdktf deploy ${stateStackName(name)}\n`) +
      `  for one in ${CONCERNS.join(' ')}; do\n` +
      `    aws s3 mv terraform.${name}-$one.tfstate s3://${state.bucket}/${name}-$one.tfstate\n` +
      '  done\n' +
      // cdktf.out remembers where the state was.
      '  rm -r cdktf.out',
  );
}

function remedy(before: string, account: string, region: string): string {
  return before === account
    ? `set its region back to ${region} in infra/config.ts`
    : `sign in to account ${before}, and set its region to ${region} in infra/config.ts`;
}
