import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, backup } from 'node:sqlite';
import { PRIVATE_FILE, PRIVATE_FOLDER, makeFolder } from '../folder.ts';
import { Database } from './database.ts';
import { BACKUPS, INDEX } from './layout.ts';

const MAX_BACKUPS = 3;
const DAY_MILLISECONDS = 24 * 3_600_000;
/** All at once: a writer in between would have SQLite begin again (https://www.sqlite.org/backup.html). */
const ALL_PAGES = 2 ** 30;

/** Copies the index by SQLite's own backup, unless one of the last day is there; throws for a damaged copy, and keeps the others. */
export async function backUpIndex(directory: string): Promise<void> {
  const folder = join(directory, BACKUPS);
  await makeFolder(folder, PRIVATE_FOLDER);
  const [newest] = await listBackups(directory);
  const now = new Date();
  if (newest && now.getTime() - newest.at.getTime() < DAY_MILLISECONDS) return;
  const draft = join(folder, 'draft.sqlite');
  await rm(draft, { force: true });
  const index = new DatabaseSync(join(directory, INDEX), { readOnly: true });
  try {
    await backup(index, draft, { rate: ALL_PAGES });
  } finally {
    index.close();
  }
  await chmod(draft, PRIVATE_FILE);
  // Checks it as it is checked when it is opened.
  new Database(draft, false, (error) => error).close();
  await rename(draft, join(folder, nameAt(now)));
  const kept = await listBackups(directory);
  for (const { path } of kept.slice(MAX_BACKUPS)) await rm(path, { force: true });
}

export interface Backup {
  readonly path: string;
  readonly at: Date;
}

/** The newest first. */
export async function listBackups(directory: string): Promise<readonly Backup[]> {
  const folder = join(directory, BACKUPS);
  await makeFolder(folder, PRIVATE_FOLDER);
  return (await readdir(folder))
    .flatMap((name) => {
      const at = new Date(
        name.replace(/^index-(.*T\d\d)-(\d\d)-(\d\d\.\d+Z)\.sqlite$/, '$1:$2:$3'),
      );
      return Number.isNaN(at.getTime()) ? [] : [{ path: join(folder, name), at }];
    })
    .sort((a, b) => b.at.getTime() - a.at.getTime());
}

/** Windows forbids colons in names. */
function nameAt(time: Date): string {
  return `index-${time.toISOString().replaceAll(':', '-')}.sqlite`;
}
