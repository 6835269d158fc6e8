import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';
import { z } from 'zod';

/** SQLite's user_version of the index. The earliest versions left it at 0. */
const SCHEMA_VERSION = 2;

const SCHEMA = `
  create table if not exists objects (
    bucket text not null, key blob not null, blob text not null, size integer not null,
    etag text not null, modified integer not null, headers text not null,
    primary key (bucket, key)
  ) without rowid;
  create table if not exists uploads (
    id text primary key, bucket text not null, key blob not null, headers text not null,
    started integer not null
  );
  create table if not exists parts (
    upload text not null references uploads (id) on delete cascade, number integer not null,
    blob text not null, size integer not null, etag text not null, primary key (upload, number)
  ) without rowid;
  -- Blobs without a reference. They are removed later, as readers may still use them.
  create table if not exists garbage (blob text primary key, since integer not null);
  -- Blobs that a process is writing, without a reference yet.
  create table if not exists writing (
    blob text primary key, process integer not null, since integer not null
  );
  -- failures: how often the work has failed; receives: deliveries since the last failure.
  create table if not exists messages (
    id integer primary key, queue text not null, body text not null, sent integer not null,
    visible integer not null, receives integer not null default 0, receipt text unique,
    failures integer not null default 0, "group" text
  );
  create index if not exists messages_by_queue on messages (queue, visible, id);
`;

/** Columns of `messages` that earlier versions lack. */
const ADDED_COLUMNS = ['failures integer not null default 0', '"group" text'];
const TABLES_OF_VERSION_0 = ['garbage', 'messages', 'objects', 'parts', 'uploads'];

/** A process waits this long for the writes of others, which take a few milliseconds each. */
const BUSY_MILLISECONDS = 20_000;

/** The file is checked at most this often: it must still be the one that was opened. */
const CHECK_MILLISECONDS = 1000;

/** The first bytes of every SQLite file: https://www.sqlite.org/fileformat.html */
const MAGIC = Buffer.from('SQLite format 3\0');

/** The index cannot be used. `reason` is a predicate of the sentence: "is empty". */
export class IndexError extends Error {
  override readonly name = 'IndexError';
  readonly reason: string;

  constructor(reason: string, options?: ErrorOptions) {
    super(`The index ${reason}.`, options);
    this.reason = reason;
  }
}

/** The index of a local backend: an SQLite database that several processes share (https://sqlite.org/wal.html). */
export class Database {
  readonly path: string;
  /** Whether a version without labels wrote it. `endUpgrade` marks the end of the upgrade in the file. */
  readonly isOld: boolean;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  readonly #files: ReadonlyMap<string, number>;
  readonly #explain: (error: IndexError) => Error;
  #checkedAt = 0;

  /**
   * Opens the index; makes it if `mayCreate`. When the index cannot be used, this throws what `toError` returns for
   * the IndexError. Every later call does the same when the file was deleted, replaced or damaged after it was
   * opened.
   */
  constructor(path: string, mayCreate: boolean, toError: (error: IndexError) => Error) {
    this.path = path;
    this.#explain = toError;
    this.#files = new Map();
    this.#database = new DatabaseSync(path);
    try {
      this.isOld = this.#use(() => this.#prepareFile(mayCreate));
    } catch (error) {
      this.#database.close();
      throw error;
    }
    this.#files = new Map([path, `${path}-wal`].map((file) => [file, statSync(file).ino]));
  }

  #prepareFile(mayCreate: boolean): boolean {
    this.#database.exec(`pragma busy_timeout = ${BUSY_MILLISECONDS}`);
    const tables = tablesOf(this.#database);
    if (tables.length === 0 && !mayCreate) throw new IndexError('is empty');
    const version = versionOf(this.#database);
    if (version > SCHEMA_VERSION) {
      throw new IndexError('was written by a newer version of vodstack');
    }
    const known = version === 0 ? TABLES_OF_VERSION_0 : tablesOf(emptyIndex());
    if (tables.length > 0 && known.some((table) => !tables.includes(table))) {
      throw new IndexError('has not the tables of an index of vodstack');
    }
    const [check] = this.#database.prepare('pragma integrity_check(1)').all();
    const verdict = check?.['integrity_check'];
    if (verdict !== 'ok') {
      throw new IndexError(`fails the integrity check of SQLite (${String(verdict)})`);
    }
    this.#database.exec('pragma journal_mode = wal');
    // Each commit is on the disk before it returns, so it survives a power cut.
    this.#database.exec('pragma synchronous = full');
    this.#database.exec('pragma foreign_keys = on');
    return this.#transaction(() => {
      const isOld = versionOf(this.#database) === 0 && tablesOf(this.#database).length > 0;
      this.#database.exec(SCHEMA);
      addColumns(this.#database);
      if (columnsOf(this.#database) !== columnsOf(emptyIndex())) {
        throw new IndexError('has other columns than an index of vodstack');
      }
      if (!isOld) this.#database.exec(`pragma user_version = ${SCHEMA_VERSION}`);
      return isOld;
    });
  }

  /** Call this when every blob has its label. */
  endUpgrade(): void {
    this.run(`pragma user_version = ${SCHEMA_VERSION}`);
  }

  /** Runs statements in a transaction. Only one process writes at a time. */
  write<Result>(change: () => Result): Result {
    return this.#use(() => this.#transaction(change));
  }

  #transaction<Result>(change: () => Result): Result {
    // `immediate` takes the lock at the start, so that no later statement can fail because of it.
    this.#database.exec('begin immediate');
    try {
      const result = change();
      this.#database.exec('commit');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }

  /** Runs a statement. Returns the number of changed rows. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return this.#use(() => Number(this.#prepare(sql).run(...values).changes));
  }

  rows(sql: string, ...values: readonly SQLInputValue[]): readonly Record<string, unknown>[] {
    return this.#use(() => this.#prepare(sql).all(...values));
  }

  row(sql: string, ...values: readonly SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#use(() => this.#prepare(sql).get(...values));
  }

  /** Throws when the file is no longer the one that was opened. */
  check(): void {
    this.#checkedAt = 0;
    this.#use(() => undefined);
  }

  #requireSameFile(): void {
    if (Math.abs(Date.now() - this.#checkedAt) < CHECK_MILLISECONDS) return;
    for (const [file, inode] of this.#files) {
      const found = statSync(file, { throwIfNoEntry: false });
      const part = file === this.path ? '' : `, in its part ${file},`;
      if (!found) throw new IndexError(`was deleted${part} while vodstack was running`);
      if (found.ino !== inode)
        throw new IndexError(`was replaced${part} while vodstack was running`);
    }
    if (!isSqlite(this.path)) throw new IndexError('was overwritten while vodstack was running');
    this.#checkedAt = Date.now();
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #use<Result>(action: () => Result): Result {
    try {
      if (this.#files.size > 0) this.#requireSameFile();
      return action();
    } catch (error) {
      const damage = error instanceof IndexError ? error : damageOf(error);
      throw damage ? this.#explain(damage) : error;
    }
  }

  #prepare(sql: string) {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Makes an empty index in memory, to compare others with. */
function emptyIndex(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.exec(SCHEMA);
  return database;
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('pragma user_version').get()?.['user_version']);
}

function tablesOf(database: DatabaseSync): readonly string[] {
  const rows = database
    .prepare(`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`)
    .all();
  return rows.map(({ name }) => String(name));
}

function addColumns(database: DatabaseSync): void {
  const there = database.prepare('select name from pragma_table_info(?)').all('messages');
  for (const column of ADDED_COLUMNS) {
    const [name] = column.replaceAll('"', '').split(' ', 1);
    if (there.some((one) => one['name'] === name)) continue;
    database.exec(`alter table messages add column ${column}`);
  }
}

function columnsOf(database: DatabaseSync): string {
  const rows = database
    .prepare(
      `select tables.name as "table", columns.name, columns.type, columns.pk
       from sqlite_schema tables, pragma_table_info(tables.name) columns
       where tables.type = 'table' and tables.name not like 'sqlite_%'
       order by tables.name, columns.name`,
    )
    .all();
  return JSON.stringify(rows);
}

function isSqlite(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(MAGIC.length);
    readSync(file, start, 0, start.length, 0);
    return start.equals(MAGIC);
  } finally {
    closeSync(file);
  }
}

/** Primary result codes of SQLite, the last byte of extended ones: https://www.sqlite.org/rescode.html */
const DAMAGE = new Map([
  [11, 'is damaged'],
  [26, 'is no SQLite file'],
]);

const sqliteError = z.object({ errcode: z.number(), message: z.string() });

function damageOf(error: unknown): IndexError | undefined {
  const read = sqliteError.safeParse(error);
  const reason = read.success && DAMAGE.get(read.data.errcode & 0xff);
  return reason ? new IndexError(`${reason} (${read.data.message})`, { cause: error }) : undefined;
}
