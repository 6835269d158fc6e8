/** Every name and tag of what is deployed. */

/** A stage's stack: what the command line calls it. */
export function stackName(stage: string, concern: string): string {
  return `${stage}-${concern}`;
}

/** `vodstack-dev-jobs`: the name in AWS of a stage's thing by its role. At most 64 bytes, for IAM. */
export function nameOf(stage: string, role: string): string {
  return `vodstack-${stage}-${role}`;
}

/** On everything that can carry tags; teardown looks by them for what is left. */
export function tagsOf(stage: string): Readonly<Record<string, string>> {
  return { project: 'vodstack', stage };
}
