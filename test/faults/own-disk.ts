import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import type { Command } from '../e2e/machine.ts';

/**
 * A command that runs another one with its own file system mounted in a folder, with those options of mount(8). Only
 * the processes of that command see it.
 */
export function onOwnDisk(folder: string, options: string, command: Command): Command {
  const script = `mount -t tmpfs -o ${options} tmpfs "$1" && shift && exec "$@"`;
  return ['unshare', '-rm', 'sh', '-c', script, 'sh', folder, ...command];
}

function canMount(): boolean {
  const [program, ...argv] = onOwnDisk(tmpdir(), 'size=4k', ['true']);
  return spawnSync(program, argv).status === 0;
}

/** The reason why this machine cannot mount a file system for a command; undefined if it can. */
export const noOwnDisk = canMount() ? undefined : 'unshare(1) cannot mount a file system here';
