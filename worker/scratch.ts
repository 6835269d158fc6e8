import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../core/log.ts';
import { PRIVATE_FOLDER, makeFolder } from '../core/storage/folder.ts';
import { isRunning } from '../core/storage/running.ts';

const PREFIX = 'vodstack-worker-';

/**
 * Creates the scratch folder of this process, and removes those of workers that no longer run. The encoder of a
 * killed worker can outlive it for a moment and write while its folder is removed; the next start removes the rest.
 */
export async function openScratch(parent: string, log: Logger): Promise<string> {
  const own = `${PREFIX}${process.pid}`;
  await makeFolder(parent);
  for (const name of await readdir(parent)) {
    // A folder with our own process id is from an earlier container or from before a reboot.
    if (!name.startsWith(PREFIX)) continue;
    if (name !== own && isRunning(Number(name.slice(PREFIX.length)))) continue;
    await removeScratch(join(parent, name), log);
  }
  const directory = join(parent, own);
  // Fails if the folder exists: in a shared parent such as /tmp, another user may have created it.
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
