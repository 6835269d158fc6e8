import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Permissions of a folder and a file that only their owner can read. */
export const PRIVATE_FOLDER = 0o700;
export const PRIVATE_FILE = 0o600;

/**
 * Makes a folder and its parents, with `mode` less the umask. An existing folder stays as it is. Throws the system's
 * error when it cannot be made. Node's own `recursive` option loops for ever below a parent that exists and cannot
 * hold folders, as in /proc or behind a dangling link.
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
