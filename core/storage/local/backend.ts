import { existsSync } from 'node:fs';
import { chmod, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BackendLostError } from '../../model/errors.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER, makeFolder } from '../folder.ts';
import type { Backend } from '../ports.ts';
import { isRunning } from '../running.ts';
import { backUpIndex } from './backup.ts';
import { Blobs } from './blobs.ts';
import { Database, IndexError } from './database.ts';
import { BACKUPS, BLOBS, INDEX, UNCLAIMED } from './layout.ts';
import type { LocalLayout } from './layout.ts';
import { releaseBlob, dropUpload, labelOfRow, localObjectStore } from './object-store.ts';
import { localQueue, sendTo } from './queue.ts';

export interface LocalBackend extends Backend {
  /**
   * Removes files and rows that are no longer needed: replaced bytes after an hour, abandoned uploads after a day,
   * messages after two weeks, and unfinished writes of killed processes at once. Files that the index does not know
   * stay; returns their number.
   */
  sweep(): Promise<number>;
  /** Copies the index into `backups` once a day, and keeps the newest copies. */
  backUp(): Promise<void>;
  /** Throws BackendLostError when the index was deleted, replaced or overwritten after it was opened. */
  checkIndex(): void;
}

/** The entries of a data folder beside the index. `demo` is the clip of scripts/files/demo-clip.ts. */
const OWN_ENTRIES = new Set([BLOBS, BACKUPS, UNCLAIMED, 'demo']);

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** SQS keeps a message for at most 14 days. */
const RETENTION_SECONDS = 14 * DAY_SECONDS;

/**
 * Opens a backend in a folder of this machine. Any number of processes can share the folder. Throws BackendLostError
 * when the index is missing or damaged.
 */
export async function openLocalBackend(options: {
  readonly directory: string;
  readonly layout: LocalLayout;
}): Promise<LocalBackend> {
  const { directory, layout } = options;
  await makeFolder(directory, PRIVATE_FOLDER);
  const { blobs, database } = await openIndex(directory);
  const store = localObjectStore(database, blobs, (bucket, event) => {
    const queue = layout.notifications[bucket];
    if (queue) sendTo(database, queue, event);
  });
  return {
    store,
    queue: (name) => localQueue(database, name, layout.redrive[name]),
    sweep: () => sweep(database, blobs),
    backUp: () => backUpIndex(directory),
    checkIndex: () => database.check(),
    close: async () => database.close(),
  };
}

/** Opens the index and its files. Throws BackendLostError when they do not belong together. */
export async function openIndex(
  directory: string,
): Promise<{ readonly blobs: Blobs; readonly database: Database }> {
  const path = join(directory, INDEX);
  const toError = (error: IndexError) => indexLost(directory, error);
  const hadBlobs = existsSync(join(directory, BLOBS));
  const blobs = await Blobs.open(join(directory, BLOBS));
  // The index is made before the first file. If there are files and no index, the index was lost.
  const hasNoFiles = async () => (await blobs.names().next()).done === true;
  const isEmpty = await hasNoFiles();
  if (!isEmpty && !existsSync(path)) throw toError(new IndexError('is missing'));
  await makePrivate(directory);
  const database = new Database(path, isEmpty, toError);
  try {
    const knows = database.row(`select 1 from (${KNOWN}) limit 1`) !== undefined;
    if (!isEmpty && !knows) throw toError(new IndexError('is new, and knows none of these files'));
    // Another process may have made both in the meantime and stored something.
    if (!hadBlobs && knows && (await hasNoFiles())) {
      throw new BackendLostError(
        `The files of the index ${path} are gone: there is no folder ${blobs.directory}. The only change was to make an empty one. Put the folder back, or start with another data folder.`,
      );
    }
    if (database.isOld) await labelAll(database, blobs);
  } catch (error) {
    database.close();
    throw error;
  }
  return { blobs, database };
}

/** Selects every file that the index knows. */
export const KNOWN = `select blob from objects union all select blob from parts
  union all select blob from garbage union all select blob from writing`;

function indexLost(directory: string, { reason, cause }: IndexError): BackendLostError {
  return new BackendLostError(
    `The index ${join(directory, INDEX)} ${reason}. ` +
      `Without it, there is no telling which file in ${join(directory, BLOBS)} is which video. Nothing was changed, and nothing is lost yet. ` +
      `Rebuild it from what is kept beside each file: ./scripts/start --rebuild --data ${directory}`,
    { cause },
  );
}

/** Writes the labels that earlier versions did not write. */
async function labelAll(database: Database, blobs: Blobs): Promise<void> {
  for (const row of database.rows('select * from objects')) {
    const { blob, label } = labelOfRow(row);
    if ((await blobs.sizeOf(blob)) !== undefined) await blobs.label(blob, label);
  }
  database.endUpgrade();
}

/**
 * Restricts a data folder to its owner, also one of an earlier version. If the folder holds other entries, only the
 * entries of the backend are restricted.
 */
async function makePrivate(directory: string): Promise<void> {
  const names = await readdir(directory);
  const index = await open(join(directory, INDEX), 'a', PRIVATE_FILE);
  await index.close();
  // SQLite's journals get the permissions of the index: https://sqlite.org/src/file/src/os_unix.c
  await restrict(join(directory, INDEX), PRIVATE_FILE);
  if (names.includes(BLOBS)) await restrict(join(directory, BLOBS), PRIVATE_FOLDER);
  const ours = names.every((name) => OWN_ENTRIES.has(name) || name.startsWith(INDEX));
  if (ours) await restrict(directory, PRIVATE_FOLDER);
}

/** Only the owner can change permissions, and a mounted volume can belong to another user. */
async function restrict(path: string, mode: number): Promise<void> {
  const { uid } = await stat(path);
  if (uid === process.getuid?.()) await chmod(path, mode);
}

const textSchema = z.object({ text: z.string() });
const writingSchema = z.object({ blob: z.string(), process: z.number(), since: z.number() });

async function sweep(database: Database, blobs: Blobs): Promise<number> {
  const now = Date.now();
  const textsOf = (sql: string, ...values: readonly number[]) =>
    database.rows(sql, ...values).map((row) => textSchema.parse(row).text);
  database.write(() => {
    const abandoned = 'select id as text from uploads where started < ?';
    for (const id of textsOf(abandoned, now - DAY_SECONDS * 1000)) dropUpload(database, id);
    database.run('delete from messages where sent < ?', now - RETENTION_SECONDS * 1000);
  });
  await removeUnfinished(database, blobs);
  // A reader can use replaced bytes for as long as a unit takes.
  const old = textsOf(
    'select blob as text from garbage where since <= ?',
    now - HOUR_SECONDS * 1000,
  );
  for (const blob of old) await blobs.remove(blob);
  database.write(() => {
    for (const blob of old) database.run('delete from garbage where blob = ?', blob);
  });
  // A killed process may have left the label of a file that it released.
  for (const blob of textsOf('select blob as text from garbage')) await blobs.unlabel(blob);
  await blobs.removeDrafts();
  const names: string[] = [];
  for await (const name of blobs.names()) names.push(name);
  // Queried after the listing, as the index knows each file before it is written.
  const known = new Set(database.rows(KNOWN).map(({ blob }) => blob));
  return names.filter((name) => !known.has(name)).length;
}

/** Removes the unfinished files of processes that no longer run. */
async function removeUnfinished(database: Database, blobs: Blobs): Promise<void> {
  const dead = database
    .rows('select blob, process, since from writing')
    .map((row) => writingSchema.parse(row))
    .filter(({ process: pid, since }) => {
      // In a container, process ids repeat at each start.
      const earlier = pid === process.pid && since < Date.now() - process.uptime() * 1000;
      return earlier || !isRunning(pid) || since < Date.now() - DAY_SECONDS * 1000;
    });
  for (const { blob } of dead) {
    // Before the file is removed: a writer that runs after all finds its row gone, and stops.
    const isOurs = database.write(() => {
      if (database.run('delete from writing where blob = ?', blob) === 0) return false;
      releaseBlob(database, blob);
      return true;
    });
    if (isOurs) await blobs.remove(blob);
  }
}
