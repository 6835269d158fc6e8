import { execFile } from 'node:child_process';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { run } from './run.ts';

const BINARIES = join(import.meta.dirname, '..', '..', 'node_modules', '.bin');

/** The program that cdktf runs, by cdktf's own variable; for OpenTofu it is `tofu`. */
const TERRAFORM = process.env['TERRAFORM_BINARY_NAME'] ?? 'terraform';

/** The first version that locks a state in its bucket: https://developer.hashicorp.com/terraform/language/backend/s3 */
const MIN_MINOR = 10;

const STATE_FILE = /^terraform\..+\.tfstate(\.backup)?$/;

/** Waits for another deploy, or for what is still running of one whose command was killed. */
const LOCK_TIMEOUT = '-lock-timeout=5m';

const FAILED = `Terraform could not do all of it; its reason stands above. What was done is written down, and the
same command goes on. Two reasons come from a run that was killed while it made something:
- "Error acquiring the state lock", when nobody else is at work on the stage:
  terraform -chdir=cdktf.out/stacks/<stack> force-unlock <ID>
- something exists already, and is this stage's own:
  terraform -chdir=cdktf.out/stacks/<stack> import <address after "with"> <its name or id>`;

/** Throws Error with what to install unless Terraform is installed and new enough. */
export async function requireTerraform(): Promise<void> {
  const how = `Install Terraform 1.${MIN_MINOR} or newer: https://developer.hashicorp.com/terraform/install`;
  const said = await promisify(execFile)(TERRAFORM, ['version', '-json']).catch(
    (error: unknown) => {
      throw new Error(`${TERRAFORM} is missing, or does not start. ${how}`, { cause: error });
    },
  );
  const { terraform_version: version } = z
    .object({ terraform_version: z.string() })
    .parse(JSON.parse(said.stdout));
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 1 && minor < MIN_MINOR) throw new Error(`This is Terraform ${version}. ${how}`);
}

/**
 * Runs cdktf on the project in the current folder, which also holds the states that no bucket keeps. On Ctrl-C Terraform
 * finishes the resource that it is creating and records it.
 */
export async function cdktf(
  argv: readonly string[],
  stop: AbortSignal,
  output: 1 | 2 = 2,
): Promise<void> {
  await keepStatesPrivate();
  const terminal = process.stderr.isTTY;
  const ran = run(join(BINARIES, 'cdktf'), [...argv, ...(terminal ? [] : ['--no-color'])], {
    stop,
    output,
    env: {
      // Disables the update checks of Terraform and cdktf.
      CHECKPOINT_DISABLE: '1',
      DISABLE_VERSION_CHECK: '1',
      ...(terminal ? {} : { CI: '1' }),
      TF_CLI_ARGS_apply: LOCK_TIMEOUT,
      TF_CLI_ARGS_destroy: LOCK_TIMEOUT,
      TF_CLI_ARGS_plan: LOCK_TIMEOUT,
      ...process.env,
      // cdktf does not run on every Node version, so the pinned one comes first.
      PATH: `${BINARIES}:${process.env['PATH'] ?? ''}`,
    },
  });
  await ran.catch((error: unknown) => {
    throw stop.aborted ? error : new Error(FAILED, { cause: error });
  });
}

/**
 * Makes Terraform's states in this folder readable by this user alone, as they hold the stage's secrets: those that exist,
 * and by the umask those that are written from now on.
 */
async function keepStatesPrivate(): Promise<void> {
  process.umask(0o077);
  for (const name of await readdir('.')) {
    if (STATE_FILE.test(name)) await chmod(name, 0o600);
  }
}
