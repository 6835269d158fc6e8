import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { BackendLostError } from '../../model/errors.ts';
import { PRIVATE_FOLDER, makeFolder } from '../folder.ts';
import { openIndex } from './backend.ts';
import { listBackups } from './backup.ts';
import type { Backup } from './backup.ts';
import { Blobs } from './blobs.ts';
import type { Label } from './blobs.ts';
import { Database, IndexError } from './database.ts';
import { BLOBS, INDEX, UNCLAIMED } from './layout.ts';
import { INSERT_OBJECT, releaseBlob, rowOf } from './object-store.ts';

/** The result of rebuilding an index. */
export interface Rebuilt {
  /** The number of objects by bucket. */
  readonly objects: ReadonlyMap<string, number>;
  readonly bytes: number;
  /** Files without a label, or with one that does not fit. They were moved to the folder `unclaimed`. */
  readonly unclaimed: number;
  /** The backup from which the queues and open uploads were taken. Without one they are empty. */
  readonly backup?: Backup;
  readonly messages: number;
  /** The folder to which the old index was moved. */
  readonly kept?: string;
}

/** Objects that are added in one transaction. */
const STEP = 500;

/**
 * Rebuilds the index of a backend: objects from the labels of their files, queues and open uploads from the newest
 * intact backup. The old index is kept under another name. Throws Error when the index is healthy.
 */
export async function rebuildIndex(
  directory: string,
  onProgress: (files: number) => void,
): Promise<Rebuilt> {
  await requireLost(directory);
  const blobs = await Blobs.open(join(directory, BLOBS));
  const draft = join(directory, `${INDEX}.rebuilding`);
  const { database, backup } = await openDraft(directory, draft);
  let found;
  try {
    found = await fill(database, blobs, join(directory, UNCLAIMED), onProgress);
  } finally {
    database.close();
  }
  const kept = await keepOld(directory);
  await rename(draft, join(directory, INDEX));
  return { ...found, ...(backup ? { backup } : {}), ...(kept ? { kept } : {}) };
}

async function requireLost(directory: string): Promise<void> {
  try {
    const { database } = await openIndex(directory);
    database.close();
  } catch (error) {
    if (error instanceof BackendLostError) return;
    throw error;
  }
  const path = join(directory, INDEX);
  throw new Error(
    `The index ${path} is healthy: there is nothing to rebuild. If it is an old copy, move it away, then rebuild.`,
  );
}

/** Opens a copy of the newest intact backup, without its objects, or a new index. */
async function openDraft(
  directory: string,
  draft: string,
): Promise<{ readonly database: Database; readonly backup?: Backup }> {
  const asItIs = (error: IndexError) => error;
  for (const backup of await listBackups(directory)) {
    await removeIndex(draft);
    await copyFile(backup.path, draft);
    try {
      const database = new Database(draft, false, asItIs);
      database.write(() => {
        for (const table of ['objects', 'garbage', 'writing']) database.run(`delete from ${table}`);
      });
      return { database, backup };
    } catch (error) {
      if (!(error instanceof IndexError)) throw error;
    }
  }
  await removeIndex(draft);
  return { database: new Database(draft, true, asItIs) };
}

async function fill(
  database: Database,
  blobs: Blobs,
  unclaimedFolder: string,
  onProgress: (files: number) => void,
): Promise<Pick<Rebuilt, 'objects' | 'bytes' | 'unclaimed' | 'messages'>> {
  let files = 0;
  let unclaimed = 0;
  let claims: Claim[] = [];
  const flush = () => {
    database.write(() => {
      for (const claim of claims) claimObject(database, claim);
    });
    claims = [];
    onProgress(files);
  };
  for await (const blob of blobs.names()) {
    files += 1;
    const label = await blobs.labelOf(blob);
    const sizeBytes = await blobs.sizeOf(blob);
    if (label && label.sizeBytes === sizeBytes) claims.push({ blob, label });
    else if (
      !database.row('select 1 from parts where blob = ? and size = ?', blob, sizeBytes ?? -1)
    ) {
      unclaimed += 1;
      await makeFolder(unclaimedFolder, PRIVATE_FOLDER);
      await blobs.moveTo(unclaimedFolder, blob);
    }
    if (claims.length === STEP) flush();
  }
  flush();
  for (const row of database.rows('select blob from parts')) {
    const { blob } = blobSchema.parse(row);
    if ((await blobs.sizeOf(blob)) === undefined) {
      database.run('delete from parts where blob = ?', blob);
    }
  }
  const sums = database
    .rows('select bucket, count(*) as objects, sum(size) as bytes from objects group by bucket')
    .map((row) => sumSchema.parse(row));
  const { messages } = messagesSchema.parse(
    database.row('select count(*) as messages from messages'),
  );
  return {
    objects: new Map(sums.map(({ bucket, objects }) => [bucket, objects])),
    bytes: sums.reduce((sum, { bytes }) => sum + bytes, 0),
    unclaimed,
    messages,
  };
}

const blobSchema = z.object({ blob: z.string() });
const messagesSchema = z.object({ messages: z.number() });
const sumSchema = z.object({ bucket: z.string(), objects: z.number(), bytes: z.number() });
const rivalSchema = z.object({ blob: z.string(), modified: z.number() });

interface Claim {
  readonly blob: string;
  readonly label: Label;
}

/** Adds the object that a label describes. If two files claim the same key, the newer one gets it. */
function claimObject(database: Database, { blob, label }: Claim): void {
  const row = rowOf(label, blob);
  const [bucket, key] = row;
  const other = database.row(
    'select blob, modified from objects where bucket = ? and key = ?',
    bucket,
    key,
  );
  const rival = other && rivalSchema.parse(other);
  if (rival && rival.modified > label.modified) {
    releaseBlob(database, blob);
    return;
  }
  if (rival) releaseBlob(database, rival.blob);
  database.run(INSERT_OBJECT, ...row);
}

const PARTS_OF_INDEX = ['', '-wal', '-shm'];

async function removeIndex(path: string): Promise<void> {
  for (const part of PARTS_OF_INDEX) await rm(path + part, { force: true });
}

/** Moves the old index into a folder beside it. Returns the folder, or undefined when there was no index. */
async function keepOld(directory: string): Promise<string | undefined> {
  const parts = PARTS_OF_INDEX.filter((part) => existsSync(join(directory, INDEX + part)));
  if (parts.length === 0) return undefined;
  const folder = join(directory, `${INDEX}.lost-${new Date().toISOString().replaceAll(':', '-')}`);
  await mkdir(folder, { mode: PRIVATE_FOLDER });
  for (const part of parts) await rename(join(directory, INDEX + part), join(folder, INDEX + part));
  return folder;
}
