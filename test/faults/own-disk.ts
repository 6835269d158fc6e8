import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import type { Command } from '../e2e/machine.ts';

/**
 * A command that runs another one, with a file system of its own in a folder and with those options of mount(8).
 * Only that command and what it starts see it.
 */
export function onOwnDisk(folder: string, options: string, command: Command): Command {
  const script = `mount -t tmpfs -o ${options} tmpfs "$1" && shift && exec "$@"`;
  return ['unshare', '-rm', 'sh', '-c', script, 'sh', folder, ...command];
}

function canMount(): boolean {
  const [program, ...argv] = onOwnDisk(tmpdir(), 'size=4k', ['true']);
  return spawnSync(program, argv).status === 0;
}

/** Why no command can have a file system of its own here; undefined when it can. */
export const whyNoOwnDisk = canMount() ? undefined : 'unshare(1) cannot mount a file system here';
