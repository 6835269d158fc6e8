import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from '../e2e/machine.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const IMAGE = 'localhost/vodstack-worker:test';

/** What building takes on this machine: another base image, a secret, how to pull. */
const BUILD_ARGS = (process.env['VODSTACK_BUILD_ARGS'] ?? '').split(/\s+/).filter(Boolean);

// Without the format a health check is dropped: only Docker's has one.
const BUILD = ['bud', '--format', 'docker', '--layers', ...BUILD_ARGS];

/** What the worker has to live with; that it is not root is the image's own. */
const CONFINED = [
  // The emulator listens on loopback.
  ...['--network', 'host'],
  ...['--read-only', '--read-only-tmpfs=false'],
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
  ...['--memory', '1g', '--memory-swap', '1g', '--pids-limit', '256'],
  // The tests ask for its health themselves: podman's own clock is systemd.
  ...['--health-interval', 'disable'],
];

/** Why no image can be built and run here; undefined when it can. */
export function whyNoContainer(): string | undefined {
  for (const program of ['buildah', 'podman']) {
    if (spawnSync(program, ['--version']).status !== 0) return `${program} is missing`;
  }
  // The first stage is the base image and nothing else.
  const { status, stderr } = spawnSync('buildah', [...BUILD, '--target', 'base', ROOT], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `no base image: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}

/** Builds the image; returns how large it is as files and as it is pushed, in bytes. */
export async function buildImage(): Promise<{ sizeBytes: number; compressedBytes: number }> {
  await run('buildah', [...BUILD, '--tag', IMAGE, ROOT]);
  const size = await run('podman', ['image', 'inspect', '--format', '{{.Size}}', IMAGE]);
  const directory = await mkdtemp(join(tmpdir(), 'vodstack-image-'));
  try {
    await run('buildah', ['push', '--quiet', IMAGE, `oci:${directory}`]);
    const blobs = join(directory, 'blobs', 'sha256');
    const sizes = (await readdir(blobs)).map(async (blob) => (await stat(join(blobs, blob))).size);
    const compressedBytes = (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes);
    return { sizeBytes: Number(size), compressedBytes };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Runs a program in a container of its own, as a root who may only read; returns its output. */
export function inImage(program: string, ...argv: readonly string[]): Promise<string> {
  const options = [
    ...['--rm', '--user', '0'],
    ...CONFINED,
    '--cap-add',
    'DAC_READ_SEARCH',
    '--entrypoint',
    program,
  ];
  return run('podman', ['run', ...options, IMAGE, ...argv]);
}

/** Containers of the image; what one is told stands in the environment of its command. */
export class Containers {
  readonly #names: string[] = [];

  /** The command that runs a container and ends with it, told those variables and nothing else. */
  command(name: string, variables: readonly string[]): Command {
    const env = variables.flatMap((variable) => ['--env', variable]);
    return ['podman', 'run', '--name', this.#own(name), ...CONFINED, ...env, IMAGE];
  }

  /** Starts a container in which another program runs than the worker. */
  async startOther(name: string, program: string, ...argv: readonly string[]): Promise<void> {
    const options = ['--detach', '--name', this.#own(name), ...CONFINED, '--entrypoint', program];
    await run('podman', ['run', ...options, IMAGE, ...argv]);
  }

  /** Runs a program in a container beside what runs there; returns its output. */
  exec(name: string, ...command: Command): Promise<string> {
    return run('podman', ['exec', idOf(name), ...command]);
  }

  /** What its health check says: 0 is healthy, 1 is not. */
  health(name: string): number | null {
    return spawnSync('podman', ['healthcheck', 'run', idOf(name)]).status;
  }

  /** SIGTERM, and SIGKILL when it still runs after so many seconds. */
  async stop(name: string, seconds: number): Promise<void> {
    await run('podman', ['stop', '--time', String(seconds), idOf(name)]);
  }

  async remove(): Promise<void> {
    const options = ['--force', '--ignore', '--volumes', '--time', '0'];
    await run('podman', ['rm', ...options, ...this.#names]);
  }

  #own(name: string): string {
    this.#names.push(idOf(name));
    return idOf(name);
  }
}

function idOf(name: string): string {
  return `vodstack-test-${process.pid}-${name}`;
}

async function run(program: string, argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, argv, { maxBuffer: 64 * 2 ** 20 });
  return stdout;
}
