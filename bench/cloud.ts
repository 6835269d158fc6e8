import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STAGES } from '../infra/config.ts';
import { startEmulator, whyNoEmulator } from '../test/aws/emulator.ts';
import { pushByHand } from '../test/deploy/image.ts';
import { openProject, whyNoTerraform } from '../test/deploy/terraform.ts';
import { measure, run } from './measure.ts';

const HELP = `Usage: npm run bench:cloud [-- --deploy]

Prints how long it takes to synthesize every stage for Terraform. With --deploy, also prints how long a whole stage
takes to deploy, to deploy again without changes, and to tear down, in an emulator of AWS.
`;

if (process.argv.includes('--help')) process.stdout.write(HELP);
else {
  console.log('| step | wall s |\n| --- | ---: |');
  row(`synth of ${STAGES.length} stages`, synth());
  if (process.argv.includes('--deploy')) await deploy();
}

function row(step: string, seconds: number): void {
  console.log(`| ${step} | ${seconds.toFixed(1)} |`);
}

/** Returns the minimum of three runs, as other programs may be running. */
function synth(): number {
  const main = fileURLToPath(new URL('../infra/main.ts', import.meta.url));
  const once = () => {
    process.chdir(mkdtempSync(join(tmpdir(), 'vodstack-bench-')));
    run(process.execPath, ['--disable-warning=ExperimentalWarning', main]);
  };
  return Math.min(...[1, 2, 3].map(() => measure(once).wallSeconds));
}

/** Deploys as test/deploy does. Throws Error with the standard error of a step that fails. */
async function deploy(): Promise<void> {
  const why = whyNoTerraform() ?? whyNoEmulator;
  if (why !== undefined) throw new Error(`No stage can be deployed on this machine: ${why}.`);
  const emulator = await startEmulator();
  Object.assign(process.env, emulator.env);
  try {
    const project = await openProject(emulator.env);
    const timed = async (step: string, work: () => Promise<unknown>) => {
      const started = performance.now();
      await work();
      row(step, (performance.now() - started) / 1000);
    };
    const script = async (name: string, ...argv: readonly string[]) => {
      const { code, stderr } = await project.script(name, 'dev', ...argv);
      if (code !== 0) throw new Error(stderr);
    };
    const unattended = ['--auto-approve', '--skip-provider-lock', '--no-color'];
    await timed('dev: storage', () => project.cdktf('deploy', 'dev-storage', ...unattended));
    await pushByHand('dev');
    await timed('dev: the rest', () => script('deploy'));
    await timed('dev: deployed again, unchanged', () => script('deploy'));
    await timed('dev: teardown', () => script('teardown', '--yes'));
  } finally {
    await emulator.stop();
  }
}
