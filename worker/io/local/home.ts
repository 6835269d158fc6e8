import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Home } from '../ports.ts';
import { Blobs } from './blobs.ts';
import { Database } from './database.ts';
import type { LocalLayout } from './layout.ts';
import { localObjectStore } from './object-store.ts';
import { localQueue, sendTo } from './queue.ts';

export interface LocalHome extends Home {
  /** Removes what nobody needs: replaced bytes after an hour, abandoned uploads after a day, messages after two weeks. */
  sweep(): Promise<void>;
}

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
  await mkdir(directory, { recursive: true });
  const blobs = await Blobs.open(join(directory, 'blobs'));
  const database = new Database(join(directory, 'index.sqlite'));
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
