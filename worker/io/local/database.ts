import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue } from 'node:sqlite';

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
  -- Blobs that no object holds any more; a reader may, so that they are removed later.
  create table if not exists garbage (blob text primary key, since integer not null);
  create table if not exists messages (
    id integer primary key, queue text not null, body text not null, sent integer not null,
    visible integer not null, receives integer not null default 0, receipt text unique
  );
  create index if not exists messages_by_queue on messages (queue, visible, id);
`;

/** How long one process waits for another to end its write; each is a few milliseconds. */
const BUSY_MILLISECONDS = 20_000;

/** The index of a local home: SQLite, shared by several processes (https://sqlite.org/wal.html). */
export class Database {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(`pragma busy_timeout = ${BUSY_MILLISECONDS}`);
    this.#database.exec('pragma journal_mode = wal');
    // Each commit is on the disk before it is answered: what was told to be written survives a power cut.
    this.#database.exec('pragma synchronous = full');
    this.#database.exec('pragma foreign_keys = on');
    this.write(() => this.#database.exec(SCHEMA));
  }

  /** Runs a few statements as one: all of them happen or none. One process writes at a time. */
  write<Result>(change: () => Result): Result {
    // `immediate` waits for its turn at the start, where nothing has to be undone.
    this.#database.exec('begin immediate');
    try {
      const result = change();
      this.#database.exec('commit');
      return result;
    } catch (error) {
      this.#database.exec('rollback');
      throw error;
    }
  }

  /** Changes rows; returns how many. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  rows(sql: string, ...values: readonly SQLInputValue[]): readonly Record<string, unknown>[] {
    return this.#prepare(sql).all(...values);
  }

  row(sql: string, ...values: readonly SQLInputValue[]): Record<string, unknown> | undefined {
    return this.#prepare(sql).get(...values);
  }

  /** A number that changes when another process has written. */
  get version(): number {
    return Number(this.row('pragma data_version')?.['data_version']);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string) {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
