import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, backup } from 'node:sqlite';
import { PRIVATE_FILE, PRIVATE_FOLDER, makeFolder } from '../folder.ts';
import { Database } from './database.ts';
import { BACKUPS, INDEX } from './layout.ts';

const MAX_BACKUPS = 3;
const DAY_MILLISECONDS = 24 * 3_600_000;
/** Copies all pages in one step. Between steps, a write makes SQLite start over (https://www.sqlite.org/backup.html). */
const ALL_PAGES = 2 ** 30;

/**
 * Copies the index with SQLite's backup, unless the newest copy is less than a day old. Throws when the copy is
 * damaged; older copies stay then.
 */
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
  // Opening it runs the integrity check.
  new Database(draft, false, (error) => error).close();
  await rename(draft, join(folder, nameAt(now)));
  const kept = await listBackups(directory);
  for (const { path } of kept.slice(MAX_BACKUPS)) await rm(path, { force: true });
}

export interface Backup {
  readonly path: string;
  readonly at: Date;
}

/** Lists the copies, the newest first. */
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

/** Windows does not allow colons in file names. */
function nameAt(time: Date): string {
  return `index-${time.toISOString().replaceAll(':', '-')}.sqlite`;
}
