import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { STAGES } from '../../infra/config.ts';
import { FULL, OWN_BUCKETS } from '../infra/stages.ts';
import { synth } from '../infra/synth.ts';
import type { Stack } from '../infra/synth.ts';
import { terraform, whyNoTerraform } from './terraform.ts';

const why = whyNoTerraform();
const stages = [...STAGES, FULL, OWN_BUCKETS];

describe.skipIf(why)(`Terraform and its AWS provider${why ? ` (skipped: ${why})` : ''}`, () => {
  const stacks = [...synth(stages).values()];

  test.each(stages)('Terraform accepts every synthesized stack of $name', async ({ name }) => {
    const ofStage = stacks.filter((stack) => stack.name.split('-').includes(name));
    expect(ofStage.length).toBeGreaterThanOrEqual(5);
    expect(await validate(ofStage)).toContain('The configuration is valid');
  });

  test('Terraform refuses a mistake in a stack', async () => {
    const bucket = { name: 'wrong', directory: await mkdtemp(join(tmpdir(), 'vodstack-wrong-')) };
    const queue = { aws_sqs_queue: { jobs: { visibility_timeout_seconds: 99_999_999 } } };
    await writeFile(join(bucket.directory, 'cdk.tf.json'), JSON.stringify({ resource: queue }));
    await expect(validate([bucket])).rejects.toThrow('visibility_timeout_seconds');
  });
});

/** Validates stacks at once, as modules of one root: the provider takes seconds to start each time. */
async function validate(stacks: readonly Pick<Stack, 'name' | 'directory'>[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'vodstack-validate-'));
  const modules = stacks.map(({ name, directory }) => [
    name,
    { source: relative(root, directory) },
  ]);
  const main = { module: Object.fromEntries(modules) as unknown };
  await writeFile(join(root, 'main.tf.json'), JSON.stringify(main));
  await terraform(root, ['init', '-backend=false', '-input=false']);
  return terraform(root, ['validate']);
}
