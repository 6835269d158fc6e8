import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PRIVATE_FILE, PRIVATE_FOLDER, makeFolder } from '../folder.ts';

/** A folder of immutable files under names of their own; the database says which object is which. */
export class Blobs {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<Blobs> {
    await makeFolder(directory, PRIVATE_FOLDER);
    return new Blobs(directory);
  }

  path(name: string): string {
    return join(this.#directory, name.slice(0, 2), name);
  }

  /** Writes a file that is on the disk, name and all, when this returns: write, sync, rename, sync the folder. */
  async write(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
    const name = randomUUID();
    const path = this.path(name);
    const folder = join(this.#directory, name.slice(0, 2));
    await makeFolder(folder, PRIVATE_FOLDER);
    const draft = `${path}.draft`;
    const file = await open(draft, 'wx', PRIVATE_FILE);
    try {
      for await (const part of parts) await file.writeFile(part);
      await file.sync();
    } catch (error) {
      await file.close();
      await rm(draft, { force: true });
      throw error;
    }
    await file.close();
    await rename(draft, path);
    await syncFolder(folder);
    return name;
  }

  async remove(name: string): Promise<void> {
    await rm(this.path(name), { force: true });
  }

  /** Names of all files that are older than so many seconds, drafts of killed writers among them. */
  async *olderThan(seconds: number): AsyncGenerator<string> {
    const before = Date.now() - seconds * 1000;
    for (const folder of await readdir(this.#directory)) {
      for (const name of await readdir(join(this.#directory, folder))) {
        const found = await stat(join(this.#directory, folder, name)).catch(() => undefined);
        if (found && found.mtimeMs < before) yield name;
      }
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
