import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..');

/** Neither asks whether there is a newer version of it, and cdktf leaves the provider where Terraform finds it. */
const QUIET = {
  ...{ CHECKPOINT_DISABLE: '1', DISABLE_VERSION_CHECK: '1', CI: '1' },
  CDKTF_DISABLE_PLUGIN_CACHE_ENV: '1',
};

/** Of the AWS provider, as infra/ is written for it. */
const PROVIDER = '5.100.0';

type Env = Readonly<Record<string, string>>;

/**
 * Why Terraform cannot run here with its provider, which it looks for as usual: in the registry, or
 * where TF_CLI_CONFIG_FILE says. Undefined when it can.
 */
export function whyNoTerraform(): string | undefined {
  const { status: terraform } = spawnSync('terraform', ['version'], { env: environment() });
  if (terraform !== 0) return 'terraform is missing';
  const directory = mkdtempSync(join(tmpdir(), 'vodstack-terraform-'));
  const aws = { source: 'hashicorp/aws', version: PROVIDER };
  writeFileSync(
    join(directory, 'main.tf.json'),
    JSON.stringify({ terraform: { required_providers: { aws } } }),
  );
  const init = [`-chdir=${directory}`, 'init', '-input=false', '-backend=false'];
  const { status } = spawnSync('terraform', init, { env: environment(), timeout: 120_000 });
  return status === 0 ? undefined : `terraform finds no AWS provider ${PROVIDER}`;
}

/** Runs it in a folder and returns what it printed. Throws with that when it fails. */
export async function terraform(
  directory: string,
  argv: readonly string[],
  env: Env = {},
): Promise<string> {
  return run('terraform', [`-chdir=${directory}`, ...argv, '-no-color'], { env });
}

/** A project folder of its own: what is written out, and the states, lie in it and not in this one. */
export interface Project {
  readonly directory: string;
  /** `deploy`, `destroy`, …, with their arguments. Returns what it printed, and throws with that. */
  cdktf(...argv: readonly string[]): Promise<string>;
  /** What a script of `scripts/` runs, with its arguments, as it is. */
  script(name: string, ...argv: readonly string[]): Promise<Ended>;
  /**
   * Starts it likewise, and sends a signal once it has said that: SIGINT to its group, as a terminal
   * does at Ctrl-C, SIGKILL to everything that it has started.
   */
  broken(said: RegExp, signal: NodeJS.Signals, name: string, ...argv: string[]): Promise<Ended>;
}

/** How a program ended, and what it said. */
export interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** With other stages than the shipped ones, if a module with `STAGES` is given. */
export async function openProject(env: Env, stages?: string): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), 'vodstack-deploy-'));
  const main = join(ROOT, 'infra', 'main.ts');
  const settings = {
    language: 'typescript',
    app: `node --disable-warning=ExperimentalWarning ${main}`,
    projectId: 'deploy-test',
    sendCrashReports: 'false',
  };
  await writeFile(join(directory, 'cdktf.json'), JSON.stringify(settings));
  if (stages !== undefined) await writeFile(join(directory, 'stages.ts'), stages);
  const all = {
    ...env,
    ...(stages === undefined ? {} : { VODSTACK_STAGES: join(directory, 'stages.ts') }),
  };
  const start = (name: string, argv: readonly string[]) => {
    const program = join(ROOT, 'scripts', 'cli', 'main.ts');
    const options = { env: environment(all), cwd: directory, detached: true };
    return spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', program, name, ...argv],
      options,
    );
  };
  return {
    directory,
    cdktf: (...argv) =>
      run(join(ROOT, 'node_modules', '.bin', 'cdktf'), argv, { env: all, cwd: directory }),
    script: (name, ...argv) => ended(start(name, argv)),
    broken: async (said, signal, name, ...argv) => {
      const child = start(name, argv);
      let heard = '';
      child.stderr.on('data', (chunk: Buffer) => {
        heard += chunk.toString();
        if (!said.test(heard) || child.pid === undefined) return;
        said = /^never said$/;
        if (signal !== 'SIGKILL') process.kill(-child.pid, signal);
        else for (const pid of withDescendants(child.pid)) process.kill(pid, signal);
      });
      return ended(child);
    },
  };
}

/** A process and all that it has started, by whom each has as its parent. */
function withDescendants(pid: number): readonly number[] {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const childrenOf = (parent: number): number[] =>
    all.flatMap(([child, its]) => (child !== undefined && its === parent ? [child] : []));
  return [pid, ...childrenOf(pid).flatMap(withDescendants)];
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  child.stdin.end();
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, string | null]>,
  ]);
  return { code: code ?? signal ?? 'nothing', stdout, stderr };
}

class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly code: unknown;
  readonly output: string;

  constructor(program: string, code: unknown, output: string) {
    super(`${program} ended with ${String(code)}:\n${output.slice(-8000)}`);
    this.code = code;
    this.output = output;
  }
}

async function run(
  program: string,
  argv: readonly string[],
  options: { readonly env: Env; readonly cwd?: string },
): Promise<string> {
  const { env, cwd } = options;
  try {
    const { stdout } = await promisify(execFile)(program, argv, {
      env: environment(env),
      ...(cwd === undefined ? {} : { cwd }),
      maxBuffer: 64 * 2 ** 20,
    });
    return stdout;
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    throw new ProgramError(program, code, `${stdout}\n${stderr}`);
  }
}

/** This process's, with the pinned Node first. */
function environment(env: Env = {}): NodeJS.ProcessEnv {
  const path = `${join(ROOT, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`;
  return { ...process.env, ...QUIET, ...env, PATH: path };
}
