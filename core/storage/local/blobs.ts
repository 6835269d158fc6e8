import { open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PRIVATE_FILE, PRIVATE_FOLDER, makeFolder } from '../folder.ts';

export const headersSchema = z.object({
  contentType: z.string().exactOptional(),
  cacheControl: z.string().exactOptional(),
  metadata: z.record(z.string(), z.string()).exactOptional(),
});

const labelSchema = z.object({
  bucket: z.string(),
  key: z.string(),
  sizeBytes: z.number(),
  etag: z.string(),
  /** Milliseconds since 1970. */
  modified: z.number(),
  headers: headersSchema,
});

/** All that the index knows about an object, stored beside its bytes. A lost index is rebuilt from labels. */
export type Label = Readonly<z.infer<typeof labelSchema>>;

const LABEL = '.json';
/** Earlier versions wrote each file under a temporary name first. */
const DRAFT = '.draft';

/** A folder of immutable files with random names. The index maps objects to them. */
export class Blobs {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(directory: string): Promise<Blobs> {
    await makeFolder(directory, PRIVATE_FOLDER);
    return new Blobs(directory);
  }

  path(name: string): string {
    return join(this.directory, name.slice(0, 2), name);
  }

  /**
   * Writes a file and, once its bytes are on the disk, its label. Both are synced, with their directory entries, when
   * this resolves. A label exists only while its file is an object, or is about to become one.
   */
  async write<Described extends Label | undefined>(
    name: string,
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    describe: () => Described,
  ): Promise<Described> {
    const folder = join(this.directory, name.slice(0, 2));
    await makeFolder(folder, PRIVATE_FOLDER);
    await writeSynced(this.path(name), parts);
    const label = describe();
    if (label) await writeSynced(this.path(name) + LABEL, [Buffer.from(JSON.stringify(label))]);
    await syncFolder(folder);
    return label;
  }

  /** Writes the label of a file of an earlier version. */
  async label(name: string, label: Label): Promise<void> {
    // Several processes may do this at once.
    await writeSynced(this.path(name) + LABEL, [Buffer.from(JSON.stringify(label))], 'w');
  }

  /** Removes the label of a file that is no longer an object, but may still be read. */
  async unlabel(name: string): Promise<void> {
    await rm(this.path(name) + LABEL, { force: true });
  }

  async remove(name: string): Promise<void> {
    await this.unlabel(name);
    await rm(this.path(name), { force: true });
  }

  /** Moves a file with its label, if it has one, into another folder. */
  async moveTo(folder: string, name: string): Promise<void> {
    await rename(this.path(name), join(folder, name));
    await rename(this.path(name) + LABEL, join(folder, name + LABEL)).catch(unlessMissing);
  }

  /** Yields the names of all files. */
  async *names(): AsyncGenerator<string> {
    for await (const name of this.#entries()) {
      if (!name.endsWith(LABEL) && !name.endsWith(DRAFT)) yield name;
    }
  }

  /** Returns the size of a file, or undefined when there is none. */
  async sizeOf(name: string): Promise<number | undefined> {
    return (await stat(this.path(name)).catch(unlessMissing))?.size;
  }

  /** Returns the label of a file, or undefined when it has no readable one. */
  async labelOf(name: string): Promise<Label | undefined> {
    const text = await readFile(this.path(name) + LABEL, 'utf8').catch(unlessMissing);
    if (text === undefined) return undefined;
    try {
      return labelSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  /** Removes the temporary files of killed processes of an earlier version. */
  async removeDrafts(): Promise<void> {
    for await (const name of this.#entries()) {
      if (name.endsWith(DRAFT)) await rm(this.path(name), { force: true });
    }
  }

  async *#entries(): AsyncGenerator<string> {
    for (const folder of await readdir(this.directory)) {
      const names = await readdir(join(this.directory, folder)).catch((error: unknown) => {
        if (hasCode(error, 'ENOTDIR')) return [];
        throw error;
      });
      yield* names;
    }
  }
}

async function writeSynced(
  path: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  flags = 'wx',
): Promise<void> {
  const file = await open(path, flags, PRIVATE_FILE);
  try {
    for await (const part of parts) await file.writeFile(part);
    await file.sync();
  } finally {
    await file.close();
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

function unlessMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
