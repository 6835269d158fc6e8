import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { PreconditionFailedError, UploadGoneError, WrongPartsError } from '../ports.ts';
import type {
  ByteRange,
  Condition,
  ObjectHeaders,
  ObjectInfo,
  ObjectStore,
  UploadedPart,
} from '../ports.ts';
import { headersSchema } from './blobs.ts';
import type { Blobs, Label } from './blobs.ts';
import type { Database } from './database.ts';
import { uploadEvent } from './event.ts';

const rowSchema = z.object({
  key: z.instanceof(Uint8Array).transform((bytes) => Buffer.from(bytes).toString('utf8')),
  blob: z.string(),
  size: z.number(),
  etag: z.string(),
  modified: z.number(),
  headers: z.string().transform((text) => headersSchema.parse(JSON.parse(text))),
});

export const INSERT_OBJECT =
  'insert or replace into objects (bucket, key, blob, size, etag, modified, headers) values (?, ?, ?, ?, ?, ?, ?)';

/** The values of INSERT_OBJECT. */
export function rowOf(
  { bucket, key, sizeBytes, etag, modified, headers }: Label,
  blob: string,
): [string, Uint8Array, string, number, string, number, string] {
  return [bucket, bytesOf(key), blob, sizeBytes, etag, modified, JSON.stringify(headers)];
}

/** Reads a row of `objects`. */
export function labelOfRow(row: unknown): { readonly blob: string; readonly label: Label } {
  const { key, blob, size, etag, modified, headers } = rowSchema.parse(row);
  const { bucket } = bucketSchema.parse(row);
  return { blob, label: { bucket, key, sizeBytes: size, etag, modified, headers } };
}

const bucketSchema = z.object({ bucket: z.string() });

const COLUMNS = 'key, blob, size, etag, modified, headers';
/** Rows that a listing holds in memory at a time. */
const LIST_STEP = 1000;

/** S3's minimum for all parts but the last. */
const MIN_PART_BYTES = 5 * 2 ** 20;

/**
 * An object store in a folder: bytes in files, everything else in SQLite. `onUpload` runs in the transaction that
 * makes an object visible, so each upload has its event.
 */
export function localObjectStore(
  database: Database,
  blobs: Blobs,
  onUpload: (bucket: string, event: string) => void,
): ObjectStore {
  const find = (bucket: string, key: string) => {
    const row = database.row(
      `select ${COLUMNS} from objects where bucket = ? and key = ?`,
      bucket,
      bytesOf(key),
    );
    return row && rowSchema.parse(row);
  };

  /**
   * Writes a blob, then adds its reference with `publish`, in one transaction. The index knows the blob from before
   * it is written until it is removed, so that `sweep` finds the blobs of killed writers.
   */
  const storeBlob = async <Described extends Label | undefined>(
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    describe: () => Described,
    publish: (blob: string, label: Described) => void,
  ): Promise<void> => {
    const blob = randomUUID();
    database.run(
      'insert into writing (blob, process, since) values (?, ?, ?)',
      ...[blob, process.pid, Date.now()],
    );
    try {
      const label = await blobs.write(blob, parts, describe);
      database.write(() => {
        if (database.run('delete from writing where blob = ?', blob) === 0) {
          throw new Error(
            'This write was taken for that of a killed process, and its file was removed.',
          );
        }
        publish(blob, label);
      });
    } catch (error) {
      if (database.row('select 1 from writing where blob = ?', blob)) {
        await blobs.remove(blob);
        database.run('delete from writing where blob = ?', blob);
      }
      throw error;
    }
  };

  /** Writes an object. Every new or changed object comes from here. */
  const storeObject = async (
    parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    object: Omit<Label, 'modified'>,
    condition: Condition,
    by: 'Put' | 'CompleteMultipartUpload',
    also: () => void = () => undefined,
  ): Promise<void> => {
    const { bucket, key, sizeBytes, etag } = object;
    let before: string | undefined;
    await storeBlob(
      parts,
      () => ({ ...object, modified: Date.now() }),
      (blob, label) => {
        const replaced = find(bucket, key);
        check(condition, replaced?.etag, `${bucket}/${key}`);
        before = replaced?.blob;
        if (before) releaseBlob(database, before);
        database.run(INSERT_OBJECT, ...rowOf(label, blob));
        const at = new Date(label.modified);
        onUpload(bucket, uploadEvent({ bucket, key, sizeBytes, etag, at, by }));
        also();
      },
    );
    if (before) await blobs.unlabel(before);
  };

  return {
    async put(bucket, key, body, headers = {}, condition = {}) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      const etag = createHash('md5').update(bytes).digest('hex');
      await storeObject(
        [bytes],
        { bucket, key, sizeBytes: bytes.length, etag, headers },
        condition,
        'Put',
      );
      return { etag };
    },

    async get(bucket, key, range) {
      const row = find(bucket, key);
      if (!row) return undefined;
      const { first, last } = bounds(range, row.size, `${bucket}/${key}`);
      if (row.size === 0) return { info: infoOf(row), body: createReadStream('/dev/null') };
      // An open file stays readable when its object is replaced or deleted.
      const file = await open(blobs.path(row.blob), 'r');
      return { info: infoOf(row), body: file.createReadStream({ start: first, end: last }) };
    },

    async head(bucket, key) {
      const row = find(bucket, key);
      return row && infoOf(row);
    },

    async *list(bucket, prefix, after = '') {
      const lowest = bytesOf(prefix);
      let from = Buffer.from(bytesOf(after));
      for (;;) {
        // SQLite compares blobs byte by byte, in the same order as S3.
        const rows = database
          .rows(
            `select ${COLUMNS} from objects where bucket = ? and key > ? and key >= ? and substr(key, 1, ?) = ? order by key limit ${LIST_STEP}`,
            ...[bucket, from, lowest, lowest.length, lowest],
          )
          .map((row) => rowSchema.parse(row));
        yield* rows.map(infoOf);
        const last = rows.at(-1);
        if (!last || rows.length < LIST_STEP) return;
        from = Buffer.from(bytesOf(last.key));
      }
    },

    async delete(bucket, key) {
      const blob = database.write(() => {
        const row = find(bucket, key);
        if (!row) return undefined;
        releaseBlob(database, row.blob);
        database.run('delete from objects where bucket = ? and key = ?', bucket, bytesOf(key));
        return row.blob;
      });
      if (blob) await blobs.unlabel(blob);
    },

    async localPath(bucket, key) {
      const row = find(bucket, key);
      if (!row) throw new Error(`There is no object ${bucket}/${key}.`);
      return blobs.path(row.blob);
    },

    async createUpload(bucket, key, headers = {}) {
      const id = randomUUID();
      database.run(
        'insert into uploads (id, bucket, key, headers, started) values (?, ?, ?, ?, ?)',
        ...[id, bucket, bytesOf(key), JSON.stringify(headers), Date.now()],
      );
      return id;
    },

    async uploadPart(bucket, key, uploadId, partNumber, body) {
      requireUpload(database, bucket, key, uploadId);
      const etag = createHash('md5').update(body).digest('hex');
      const unlabelled = () => undefined;
      await storeBlob([body], unlabelled, (blob) => {
        const before = database.row(
          'select blob from parts where upload = ? and number = ?',
          uploadId,
          partNumber,
        );
        if (typeof before?.['blob'] === 'string') releaseBlob(database, before['blob']);
        requireUpload(database, bucket, key, uploadId);
        database.run(
          'insert or replace into parts (upload, number, blob, size, etag) values (?, ?, ?, ?, ?)',
          ...[uploadId, partNumber, blob, body.length, etag],
        );
      });
      return { partNumber, etag };
    },

    async completeUpload(bucket, key, uploadId, parts, condition = {}) {
      const headers = requireUpload(database, bucket, key, uploadId);
      const stored = storedParts(database, uploadId, parts);
      const digest = createHash('md5');
      for (const { etag } of stored) digest.update(etag, 'hex');
      const etag = `${digest.digest('hex')}-${stored.length}`;
      const sizeBytes = stored.reduce((sum, part) => sum + part.size, 0);
      await storeObject(
        contents(blobs, stored),
        { bucket, key, sizeBytes, etag, headers },
        condition,
        'CompleteMultipartUpload',
        () => {
          requireUpload(database, bucket, key, uploadId);
          dropUpload(database, uploadId);
        },
      );
      // Parts have no readers, so they need not stay for an hour like replaced objects.
      await Promise.all(stored.map((part) => blobs.remove(part.blob)));
      return { etag };
    },

    async openUploads(bucket, key) {
      const rows = database.rows(
        'select id from uploads where bucket = ? and key = ? order by started desc',
        ...[bucket, bytesOf(key)],
      );
      return rows.map(({ id }) => z.string().parse(id));
    },

    async storedParts(bucket, key, uploadId) {
      requireUpload(database, bucket, key, uploadId);
      const rows = database.rows(
        'select number as partNumber, etag, size as sizeBytes from parts where upload = ? order by number',
        uploadId,
      );
      return rows.map((row) => storedPartSchema.parse(row));
    },

    async abortUpload(_bucket, _key, uploadId) {
      const parts = database.rows('select blob from parts where upload = ?', uploadId);
      database.write(() => dropUpload(database, uploadId));
      for (const { blob } of parts) if (typeof blob === 'string') await blobs.remove(blob);
    },
  };
}

type Row = z.infer<typeof rowSchema>;

function infoOf(row: Row): ObjectInfo {
  const { contentType = 'application/octet-stream', cacheControl, metadata = {} } = row.headers;
  return {
    key: row.key,
    sizeBytes: row.size,
    etag: row.etag,
    lastModified: new Date(row.modified),
    contentType,
    ...(cacheControl === undefined ? {} : { cacheControl }),
    metadata,
  };
}

function check({ ifMatch, ifNoneMatch }: Condition, etag: string | undefined, where: string): void {
  if (ifNoneMatch && etag !== undefined) {
    throw new PreconditionFailedError(`${where} already exists.`);
  }
  if (ifMatch !== undefined && ifMatch !== etag) {
    throw new PreconditionFailedError(`${where} has changed.`);
  }
}

function bounds(range: ByteRange | undefined, size: number, where: string) {
  const { first, last = size - 1 } = range ?? { first: 0 };
  if (range && (first < 0 || first >= size || last < first)) {
    throw new RangeError(`${where} has ${size} bytes; the range ${first}-${last} is outside.`);
  }
  return { first, last: Math.min(last, size - 1) };
}

/** Releases a blob, which `sweep` removes after an hour. The caller holds the transaction. */
export function releaseBlob(database: Database, blob: string): void {
  database.run('insert or ignore into garbage (blob, since) values (?, ?)', blob, Date.now());
}

function requireUpload(database: Database, bucket: string, key: string, id: string): ObjectHeaders {
  const row = database.row(
    'select headers from uploads where id = ? and bucket = ? and key = ?',
    ...[id, bucket, bytesOf(key)],
  );
  if (typeof row?.['headers'] !== 'string') {
    throw new UploadGoneError(`The upload ${id} of ${bucket}/${key} is not open.`);
  }
  return headersSchema.parse(JSON.parse(row['headers']));
}

/** Ends an upload and releases its parts. The caller holds the transaction. */
export function dropUpload(database: Database, id: string): void {
  for (const { blob } of database.rows('select blob from parts where upload = ?', id)) {
    releaseBlob(database, z.string().parse(blob));
  }
  database.run('delete from uploads where id = ?', id);
}

const storedPartSchema = z.object({
  partNumber: z.number(),
  etag: z.string(),
  sizeBytes: z.number(),
});

const partSchema = z.object({ blob: z.string(), size: z.number(), etag: z.string() });

function storedParts(database: Database, id: string, parts: readonly UploadedPart[]) {
  return parts.map(({ partNumber, etag }, index) => {
    const row = database.row(
      'select blob, size, etag from parts where upload = ? and number = ?',
      id,
      partNumber,
    );
    const stored = row && partSchema.parse(row);
    if (stored?.etag !== etag)
      throw new WrongPartsError(
        `Part ${partNumber} of upload ${id} is missing, or has other bytes.`,
      );
    const previous = parts[index - 1]?.partNumber ?? 0;
    if (partNumber <= previous)
      throw new WrongPartsError(`The parts of upload ${id} are not in order.`);
    if (index < parts.length - 1 && stored.size < MIN_PART_BYTES) {
      throw new WrongPartsError(`Part ${partNumber} of upload ${id} is smaller than 5 MiB.`);
    }
    return stored;
  });
}

async function* contents(blobs: Blobs, parts: readonly { readonly blob: string }[]) {
  for (const { blob } of parts)
    yield* createReadStream(blobs.path(blob)) as AsyncIterable<Uint8Array>;
}

/** Keys are stored as UTF-8 bytes, so that they sort as in S3. They never become file names. */
function bytesOf(key: string): Uint8Array {
  return Buffer.from(key, 'utf8');
}
