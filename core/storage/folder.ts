import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Permissions of a folder and of a file that their owner alone may look into. */
export const PRIVATE_FOLDER = 0o700;
export const PRIVATE_FILE = 0o600;

/**
 * Makes a folder with these permissions less the umask, and those above it; one that is there stays as it
 * is. Throws the system's error when that cannot be. Node's own `recursive` never ends where a parent is
 * there and takes no folders, as in /proc and behind a dangling link.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const make = () =>
    mkdir(path, { mode }).catch(async (error: unknown) => {
      if (!(await isFolder(path))) throw error;
    });
  try {
    await make();
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await make();
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
