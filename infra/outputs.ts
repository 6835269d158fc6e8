import { TerraformOutput } from 'cdktf';
import type { TerraformStack } from 'cdktf';

/** The outputs of each stack, which scripts read: `cdktf output` prints `{ "<stack>": { … } }`. */
export interface StorageOutputs {
  readonly sourceBucket: string;
  readonly workBucket: string;
  readonly deliveryBucket: string;
  readonly logBucket: string;
  readonly repositoryUrl: string;
}

export interface QueuesOutputs {
  readonly jobQueueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly eventQueueUrl: string;
}

export interface DeliveryOutputs {
  /** The CDN's own domain. The stage's `domain`, if there is one, must point at it. */
  readonly distributionDomain: string;
  readonly distributionId: string;
  readonly functionName: string;
  /** The origin of the videos: `https://…`, without a trailing slash. */
  readonly origin: string;
}

export interface ComputeOutputs {
  readonly clusterName: string;
  readonly serviceName: string;
  readonly taskDefinition: string;
  readonly logGroup: string;
  readonly image: string;
}

export interface MonitoringOutputs {
  readonly dashboardName: string;
}

export function declareOutputs<Outputs extends object>(
  stack: TerraformStack,
  outputs: Outputs & Readonly<Record<keyof Outputs, string>>,
): void {
  for (const [name, value] of Object.entries(outputs)) new TerraformOutput(stack, name, { value });
}
