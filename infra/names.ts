/** The names and tags of everything that is deployed. */

/**
 * A stage's stacks, each after those that it needs. `watching` is the monitoring stack: another name would be another
 * state, and every alarm would be created anew.
 */
export const CONCERNS = ['storage', 'queues', 'delivery', 'compute', 'watching'] as const;

export type Concern = (typeof CONCERNS)[number];

/** The name of a stage's stack, for `cdktf deploy`. */
export function stackName(stage: string, concern: Concern): string {
  return `${stage}-${concern}`;
}

/** The name of the stack with the bucket of a stage's state. It does not match `<stage>-*`. */
export function stateStackName(stage: string): string {
  return `state-${stage}`;
}

/** The name of a stage's resource in AWS: `vodstack-dev-jobs`. IAM allows 64 bytes. */
export function nameOf(stage: string, resource: string): string {
  return `vodstack-${stage}-${resource}`;
}

/** Resources, for `nameOf`, that more than one module names. Buckets and queues are in core/model/roles.ts. */
export const RESOURCES = {
  /** The image repository, the task definition, and the logs of workers. */
  worker: 'worker',
  /** The cluster, its service and its network. */
  workers: 'workers',
  /** The namespace of the metrics that workers report. */
  metrics: 'work',
  /** The edge function. */
  edgeFunction: 'viewer-request',
} as const;

/** The SSM parameter with the origin of a stage's videos. Commands that know only the stage's name read it. */
export function originParameter(stage: string): string {
  return `/vodstack/${stage}/origin`;
}

/** The SSM parameter with the id of a stage's distribution, for invalidations. */
export function distributionParameter(stage: string): string {
  return `/vodstack/${stage}/distribution`;
}

/** The SSM parameter with the Referer that the bucket demands in `public-read-via-cdn`: newest and previous secret. */
export function originSecretParameter(stage: string): string {
  return `/${nameOf(stage, 'origin-secret')}`;
}

/** The SSM parameter with the key that signs addresses (edge/playback-token.ts). */
export function playbackKeyParameter(stage: string): string {
  return `/vodstack/${stage}/playback-key`;
}

/** The SSM parameter with the two keys that the edge function accepts from the next deploy on: newest and previous. */
export function edgeKeysParameter(stage: string): string {
  return `/vodstack/${stage}/edge-keys`;
}

/** The tags of every resource that has tags. Teardown finds leftovers by them. */
export function tagsOf(stage: string): Readonly<Record<string, string>> {
  return { project: 'vodstack', stage };
}
