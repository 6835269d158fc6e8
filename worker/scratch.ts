import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_FOLDER, makeFolder } from '../core/storage/folder.ts';
import { isRunning } from '../core/storage/running.ts';
import type { Logger } from '../core/log.ts';

const PREFIX = 'vodstack-worker-';

/**
 * Makes this process's scratch folder, and removes those of workers that no longer run. A killed
 * worker's encoder can outlive it by a moment and write into the folder while it is removed; what
 * cannot be removed now is left to the next start.
 */
export async function openScratch(parent: string, log: Logger): Promise<string> {
  const own = `${PREFIX}${process.pid}`;
  await makeFolder(parent);
  for (const name of await readdir(parent)) {
    // A folder with our own process number is of an earlier container or of before a reboot.
    if (!name.startsWith(PREFIX)) continue;
    if (name !== own && isRunning(Number(name.slice(PREFIX.length)))) continue;
    await removeScratch(join(parent, name), log);
  }
  const directory = join(parent, own);
  // Not one that somebody else has made: the parent may be /tmp.
  await mkdir(directory, { mode: PRIVATE_FOLDER });
  return directory;
}

export async function removeScratch(directory: string, log: Logger): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    log.warn({ event: 'scratch.kept', directory, err: error });
  }
}
