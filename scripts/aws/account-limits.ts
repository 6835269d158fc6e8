import type { S3Client } from '@aws-sdk/client-s3';
import type { StageConfig } from '../../infra/config.ts';
import { limitsOf } from '../../infra/limits.ts';
import type { Limits } from '../../infra/limits.ts';
import { CONCERNS, stackName } from '../../infra/names.ts';
import { listGlobalResources } from './named-resources.ts';
import { readState } from './state.ts';

/** Returns how much of its account's limits a stage will use. Undefined once any part of the stage is deployed. */
export async function readAccountLimits(
  s3: S3Client,
  config: StageConfig,
): Promise<Limits | undefined> {
  const states = CONCERNS.map((concern) => readState(s3, config, stackName(config.name, concern)));
  if ((await Promise.all(states)).some(({ resources }) => resources > 0)) return undefined;
  const all = await listGlobalResources('');
  return limitsOf(config, all.filter(({ type }) => type === 'aws_cloudfront_cache_policy').length);
}
