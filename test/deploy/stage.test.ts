import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmulator, whyNoEmulator } from './emulator.ts';
import type { Emulator } from './emulator.ts';
import { openProject, whyNoTerraform } from './terraform.ts';
import type { Project } from './terraform.ts';

const why = whyNoTerraform() ?? whyNoEmulator();

const STACKS = ['storage', 'queues', 'delivery', 'compute', 'watching'].map((one) => `dev-${one}`);

// Without the flag cdktf asks the registry for checksums of every platform's provider.
const UNATTENDED = ['--auto-approve', '--skip-provider-lock', '--no-color'];

describe.skipIf(why)(`A whole stage${why ? ` (skipped: ${why})` : ''}`, () => {
  let emulator: Emulator;
  let project: Project;

  beforeAll(async () => {
    emulator = await startEmulator();
    project = await openProject(emulator.env);
  });

  afterAll(() => emulator.stop());

  test('is deployed by one command.', async () => {
    const said = await project.cdktf('deploy', ...UNATTENDED, 'dev-*');
    for (const stack of STACKS) expect(said).toContain(stack);
    expect(said.match(/Apply complete!/g)).toHaveLength(STACKS.length);
    expect(said).toContain("whoever knows the bucket's own address fetches there");
  });

  test.each(STACKS)('does not differ afterwards: %s.', async (stack) => {
    expect(await project.plan(stack)).toBe('');
  });

  test('is destroyed by one command.', async () => {
    const said = await project.cdktf('destroy', ...UNATTENDED, 'dev-*');
    expect(said.match(/Destroy complete!/g)).toHaveLength(STACKS.length);
  });
});
