import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { start } from './run.ts';

describe.each(['deploy', 'teardown'] as const)('%s', (command) => {
  const run = (argv: readonly string[], env = {}) => start(command, argv, env).ended;

  test('The command reports every mistake in its command line', async () => {
    const { code, out, err } = await run(['dev', 'prod', '--force', '--yes=now']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('There is no option --force.');
    expect(err).toContain('One stage at a time, not also prod.');
    expect(err).toContain(`See ./scripts/${command} --help.`);
  });

  test('The command accepts only declared stages', async () => {
    const { code, err } = await run(['nope']);
    expect(code).toBe(2);
    expect(err).toContain('There is no stage nope. infra/config.ts has dev, staging, prod.');
  });

  test('The command requires Terraform, and says where to get it', async () => {
    const programs = await mkdtemp(join(tmpdir(), 'vodstack-programs-'));
    const missing = await run(['dev'], { PATH: programs });
    expect(missing.code).toBe(1);
    expect(missing.err).toMatch(
      /^terraform is missing, .* Install Terraform 1\.10 or newer: https/m,
    );

    const old = join(programs, 'terraform');
    await writeFile(old, `#!/bin/sh\necho '{"terraform_version":"1.9.8"}'\n`);
    await chmod(old, 0o755);
    const { code, err } = await run(['dev'], { PATH: `${programs}:/usr/bin:/bin` });
    expect(code).toBe(1);
    expect(err).toMatch(/^This is Terraform 1\.9\.8\. Install Terraform 1\.10 or newer/m);
  });
});
