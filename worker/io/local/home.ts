import { chmod, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../ports.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER, makeFolder } from '../folder.ts';
import { Blobs } from './blobs.ts';
import { Database } from './database.ts';
import type { LocalLayout } from './layout.ts';
import { localObjectStore } from './object-store.ts';
import { localQueue, sendTo } from './queue.ts';

export interface LocalHome extends Home {
  /** Removes what nobody needs: replaced bytes after an hour, abandoned uploads after a day, messages after two weeks. */
  sweep(): Promise<void>;
}

const INDEX = 'index.sqlite';
const BLOBS = 'blobs';
/** What a home's folder holds beside the index: `demo` is the clip of local/demo-clip.ts. */
const HOME = new Set([BLOBS, 'demo']);

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** SQS keeps a message for at most 14 days. */
const RETENTION_SECONDS = 14 * DAY_SECONDS;

/** Opens the home of one machine in a folder, which may be shared by any number of processes. */
export async function openLocalHome(options: {
  readonly directory: string;
  readonly layout: LocalLayout;
}): Promise<LocalHome> {
  const { directory, layout } = options;
  await makeFolder(directory, PRIVATE_FOLDER);
  await makePrivate(directory);
  const blobs = await Blobs.open(join(directory, BLOBS));
  const database = new Database(join(directory, INDEX));
  const store = localObjectStore(database, blobs, (bucket, event) => {
    const queue = layout.notifications[bucket];
    if (queue) sendTo(database, queue, event);
  });
  return {
    store,
    queue: (name) => localQueue(database, name, layout.redrive[name]),
    sweep: () => sweep(database, blobs),
    close: async () => database.close(),
  };
}

/**
 * Lets only the owner look into a home, also into one of an earlier version. A folder that holds other things
 * besides stays as it is; what is ours in it is private all the same.
 */
async function makePrivate(directory: string): Promise<void> {
  const names = await readdir(directory);
  const index = await open(join(directory, INDEX), 'a', PRIVATE_FILE);
  await index.close();
  // SQLite's journals get the permissions of the index: https://sqlite.org/src/file/src/os_unix.c
  await restrict(join(directory, INDEX), PRIVATE_FILE);
  if (names.includes(BLOBS)) await restrict(join(directory, BLOBS), PRIVATE_FOLDER);
  const ours = names.every((name) => HOME.has(name) || name.startsWith(INDEX));
  if (ours) await restrict(directory, PRIVATE_FOLDER);
}

/** Only an owner may change permissions: a mounted volume can be somebody else's. */
async function restrict(path: string, mode: number): Promise<void> {
  const { uid } = await stat(path);
  if (uid === process.getuid?.()) await chmod(path, mode);
}

async function sweep(database: Database, blobs: Blobs): Promise<void> {
  const now = Date.now();
  database.run('delete from uploads where started < ?', now - DAY_SECONDS * 1000);
  database.run('delete from messages where sent < ?', now - RETENTION_SECONDS * 1000);
  const used = database.rows('select blob from objects union select blob from parts');
  const kept = new Set(used.map(({ blob }) => blob));
  // A reader can hold replaced bytes for as long as a unit lasts, and a writer's are not yet in the index.
  const recent = database.rows(
    'select blob from garbage where since > ?',
    now - HOUR_SECONDS * 1000,
  );
  for (const { blob } of recent) kept.add(blob);
  for await (const name of blobs.olderThan(HOUR_SECONDS)) {
    if (!kept.has(name))
      await blobs.remove(name.replace(/\.draft$/, '')).then(() => blobs.remove(name));
  }
  database.run('delete from garbage where since <= ?', now - HOUR_SECONDS * 1000);
}
