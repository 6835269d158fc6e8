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

/** All that the index knows of an object, kept beside its bytes: a lost index is rebuilt from labels. */
export type Label = Readonly<z.infer<typeof labelSchema>>;

const LABEL = '.json';
/** Earlier versions wrote each file under a name of its own first. */
const DRAFT = '.draft';

/** A folder of immutable files under names of their own; the index says which object is which. */
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
   * Writes a file and, once its bytes are on the disk, its label. Both are on the disk, names and all,
   * when this returns. A label is there only while its file is an object, or is about to become one.
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

  /** Labels a file of an earlier version, which wrote none. */
  async label(name: string, label: Label): Promise<void> {
    // Several processes may do so at once.
    await writeSynced(this.path(name) + LABEL, [Buffer.from(JSON.stringify(label))], 'w');
  }

  /** Takes the label away: the file is no object any more, and is still read by some. */
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

  /** Names of all files. */
  async *names(): AsyncGenerator<string> {
    for await (const name of this.#entries()) {
      if (!name.endsWith(LABEL) && !name.endsWith(DRAFT)) yield name;
    }
  }

  /** Bytes of a file; undefined when it is not there. */
  async sizeOf(name: string): Promise<number | undefined> {
    return (await stat(this.path(name)).catch(unlessMissing))?.size;
  }

  /** The label of a file; undefined when it has none that can be read. */
  async labelOf(name: string): Promise<Label | undefined> {
    const text = await readFile(this.path(name) + LABEL, 'utf8').catch(unlessMissing);
    if (text === undefined) return undefined;
    try {
      return labelSchema.parse(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  /** Removes what writers of an earlier version left that were killed. */
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
