/** Every name and tag of what is deployed. */

/** A stage's stacks, each after those that it needs. */
export const CONCERNS = ['storage', 'queues', 'delivery', 'compute', 'watching'] as const;

export type Concern = (typeof CONCERNS)[number];

/** A stage's stack: what the command line calls it. */
export function stackName(stage: string, concern: Concern): string {
  return `${stage}-${concern}`;
}

/** The stack of the bucket that keeps a stage's state; not one of `<stage>-*`. */
export function stateStackName(stage: string): string {
  return `state-${stage}`;
}

/** `vodstack-dev-jobs`: the name in AWS of a stage's thing by its role. At most 64 bytes, for IAM. */
export function nameOf(stage: string, role: string): string {
  return `vodstack-${stage}-${role}`;
}

/** The role of what workers measure, in `nameOf`. */
export const METRICS = 'work';

/** The SSM parameter that says where a stage's videos are, for commands that know no more than its name. */
export function originParameter(stage: string): string {
  return `/vodstack/${stage}/origin`;
}

/** The SSM parameter of the id of a stage's distribution, for what the CDN is to forget. */
export function distributionParameter(stage: string): string {
  return `/vodstack/${stage}/distribution`;
}

/** The SSM parameter of what the CDN sends and the bucket demands in `public-read-via-cdn`: the newest and the one before. */
export function originSecretParameter(stage: string): string {
  return `/${nameOf(stage, 'origin-secret')}`;
}

/** The SSM parameter of the key that addresses are signed with (edge/playback-token.ts). */
export function playbackKeyParameter(stage: string): string {
  return `/vodstack/${stage}/playback-key`;
}

/** The SSM parameter of the two keys that the edge takes: that one, or at the next deploy its successor, and the one before. */
export function edgeKeysParameter(stage: string): string {
  return `/vodstack/${stage}/edge-keys`;
}

/** On everything that can carry tags; teardown looks by them for what is left. */
export function tagsOf(stage: string): Readonly<Record<string, string>> {
  return { project: 'vodstack', stage };
}
