import { CACHE_POLICIES } from '../edge/behaviours.ts';
import type { StageConfig } from './config.ts';

/** How much of an account's AWS quotas a stage uses, in sentences. */
export interface Limits {
  readonly needs: string;
  readonly warnings: readonly string[];
}

/**
 * CloudFront's default quota of cache policies in an account.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
 */
const MAX_CACHE_POLICIES = 20;

/** Describes what a new stage needs in an account that has this many cache policies. */
export function limitsOf(
  { name, region, maxWorkers, worker }: StageConfig,
  cachePolicies: number,
): Limits {
  const own = Object.keys(CACHE_POLICIES).length;
  const cores = (maxWorkers * worker.cpuUnits) / 1024;
  const needs =
    `Stage ${name} uses of this account's quotas: ${own} cache policies of CloudFront (${cachePolicies} of ` +
    `${MAX_CACHE_POLICIES} are in use), 1 VPC in ${region} (of 5), and for ${maxWorkers} workers at once ` +
    `${cores} vCPUs of Fargate, ${worker.spotPercent} % of them Spot. A new account may have fewer (Service Quotas ` +
    'L-36FBB829 for Spot, L-3032A538 on demand); the rest of the work waits then.';
  const tooMany = cachePolicies + own > MAX_CACHE_POLICIES;
  return {
    needs,
    warnings: tooMany
      ? [
          `With ${cachePolicies} cache policies of CloudFront there is no room for ${own} more, unless AWS has raised ` +
            `its quota of ${MAX_CACHE_POLICIES}. Raise it in Service Quotas, or tear down a stage that is not needed.`,
        ]
      : [],
  };
}
