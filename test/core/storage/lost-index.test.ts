import { createHash, randomUUID } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BackendLostError } from '../../../core/model/errors.ts';
import { openLocalBackend } from '../../../core/storage/local/backend.ts';
import type { LocalBackend } from '../../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT, layoutEnv } from '../../../core/storage/local/layout.ts';
import { rebuildIndex } from '../../../core/storage/local/rebuild.ts';
import { announceUnfinished } from '../../../scripts/local/rebuild.ts';

let directory: string;
let index: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vodstack-index-'));
  index = join(directory, 'index.sqlite');
});
afterEach(() => rm(directory, { recursive: true }));

const open = () => openLocalBackend({ directory, layout: LOCAL_LAYOUT });

/** Reads all files below the folder of blobs. */
function files(): ReadonlyMap<string, string> {
  const folder = join(directory, 'blobs');
  return new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, digest(readFileSync(join(folder, name)))]),
  );
}

const digest = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

/** Lists all objects with their headers and bytes. */
async function objects({ store }: LocalBackend) {
  const found = [];
  for (const bucket of ['source', 'work', 'delivery']) {
    for await (const { key } of store.list(bucket, '')) {
      const object = await store.get(bucket, key);
      if (object) found.push({ bucket, ...object.info, digest: digest(await buffer(object.body)) });
    }
  }
  return found;
}

async function fill({ store }: LocalBackend): Promise<void> {
  const headers = {
    contentType: 'video/mp2t',
    cacheControl: 'public, max-age=10',
    metadata: { planned: '2026-11-24T00:00:00.000Z' },
  };
  await store.put('source', '강의/#2 100% "a".mp4', Buffer.alloc(100_000, 'source'), headers);
  await store.put('delivery', 'v/1/index.m3u8', 'old', headers);
  await store.put('delivery', 'v/1/index.m3u8', 'new', headers);
  await store.put('delivery', 'v/1/empty', '');
  await store.put('work', 'deleted', 'deleted');
  await store.delete('work', 'deleted');
  const id = await store.createUpload('source', 'parts.mp4', headers);
  const part = await store.uploadPart('source', 'parts.mp4', id, 1, Buffer.alloc(6 * 2 ** 20, 'p'));
  await store.completeUpload('source', 'parts.mp4', id, [part]);
}

async function filled() {
  const backend = await open();
  await fill(backend);
  const before = await objects(backend);
  await backend.close();
  return before;
}

function loseIndex(): void {
  for (const part of ['', '-wal', '-shm']) rmSync(index + part, { force: true });
}

/** Overwrites pages in the middle of the file, but not the first one. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 4096, Math.min(bytes.length, 6 * 4096));
  writeFileSync(path, bytes);
}

function newIndex(sql: string): void {
  loseIndex();
  const database = new DatabaseSync(index);
  database.exec(sql);
  database.close();
}

/** Copies the index of another backend, which is empty. */
async function indexOfNobody(): Promise<void> {
  const other = join(directory, 'other');
  const backend = await openLocalBackend({ directory: other, layout: LOCAL_LAYOUT });
  await backend.close();
  loseIndex();
  renameSync(join(other, 'index.sqlite'), index);
  rmSync(other, { recursive: true });
}

describe('An index', () => {
  test.each<[string, () => void | Promise<void>]>([
    ['is missing', loseIndex],
    ['is empty', () => writeFileSync(index, '')],
    ['is no SQLite file', () => writeFileSync(index, 'These are notes. '.repeat(1000))],
    ['fails the integrity check of SQLite', () => damage(index)],
    ['has not the tables', () => newIndex('create table notes (text text)')],
    [
      'has not the tables',
      () => newIndex('drop table if exists objects; create table objects (a)'),
    ],
    ['newer version', () => newIndex('create table objects (a); pragma user_version = 99')],
    ['is new', indexOfNobody],
  ])(
    'An index error "%s" stops the start with instructions, and nothing is changed',
    async (why, lose) => {
      await filled();
      await lose();
      const before = files();
      const opened = open();
      await expect(opened).rejects.toThrow(BackendLostError);
      for (const words of [index, why, `./scripts/start --rebuild --data ${directory}`]) {
        await expect(opened).rejects.toThrow(words);
      }
      expect(files()).toEqual(before);
    },
  );

  test('An index without its files is an error', async () => {
    await filled();
    rmSync(join(directory, 'blobs'), { recursive: true });
    await expect(open()).rejects.toThrow('Put the folder back');
  });

  test.each([
    ['was deleted', () => rmSync(index)],
    ['was deleted in its part', () => rmSync(`${index}-wal`)],
    [
      'was replaced',
      () => (copyFileSync(index, `${index}.copy`), renameSync(`${index}.copy`, index)),
    ],
    ['was overwritten', () => writeFileSync(index, 'These are notes. '.repeat(1000))],
  ])('An open index that %s is reported by the next check', async (why, lose) => {
    const backend = await open();
    await fill(backend);
    lose();
    expect(() => backend.checkIndex()).toThrow(BackendLostError);
    expect(() => backend.checkIndex()).toThrow(`The index ${index} ${why}`.split(' in its')[0]);
    await backend.close();
  });
});

describe('Sweeping', () => {
  test('Sweeping counts the files that the index does not know, and leaves them', async () => {
    const backend = await open();
    await fill(backend);
    const name = randomUUID();
    const stranger = join(directory, 'blobs', name.slice(0, 2), name);
    mkdirSync(dirname(stranger), { recursive: true });
    writeFileSync(stranger, 'unknown');
    expect(await backend.sweep()).toBe(1);
    expect(existsSync(stranger)).toBe(true);
    await backend.close();
  });

  test('Sweeping removes files that were released an hour ago, and drafts of earlier versions', async () => {
    const backend = await open();
    await fill(backend);
    const [name = ''] = files().keys();
    const draft = join(directory, 'blobs', `${name}.draft`);
    writeFileSync(draft, 'half');
    const later = new DatabaseSync(index);
    later.exec('update garbage set since = 0');
    later.close();
    expect(await backend.sweep()).toBe(0);
    // Three objects with bytes and an empty one, each with its label.
    expect(files().size).toBe(8);
    await backend.close();
  });
});

describe('A rebuilt index', () => {
  test.each([
    ['missing', loseIndex],
    ['damaged', () => damage(index)],
  ])(
    'An index that is rebuilt after it was %s has every object, and no deleted one',
    async (_, lose) => {
      const before = await filled();
      expect(before).toHaveLength(4);
      lose();
      const found = await rebuildIndex(directory, () => undefined);
      expect(found).toMatchObject({
        messages: 0,
        objects: new Map([
          ['delivery', 2],
          ['source', 2],
        ]),
      });
      const backend = await open();
      expect(await objects(backend)).toEqual(before);
      expect(await backend.sweep()).toBe(0);
      expect(await objects(backend)).toEqual(before);
      await backend.close();
    },
  );

  test('Rebuilding moves files without a label and partial files aside', async () => {
    await filled();
    const cut = [...files()].find(([, md5]) => md5 === digest(Buffer.from('new')))?.[0] ?? '';
    writeFileSync(join(directory, 'blobs', cut), 'n');
    loseIndex();
    // The partial file, the replaced one and the deleted one.
    expect(await rebuildIndex(directory, () => undefined)).toMatchObject({ unclaimed: 3 });
    expect(readdirSync(join(directory, 'unclaimed')).sort()).toContain(cut.split('/')[1]);
  });

  test('Rebuilding takes queues and open uploads from the newest intact backup', async () => {
    const backend = await open();
    await backend.queue('dead-letters').send('kept');
    const id = await backend.store.createUpload('source', 'a');
    await backend.store.uploadPart('source', 'a', id, 1, Buffer.from('part'));
    await backend.backUp();
    await backend.backUp();
    const backups = join(directory, 'backups');
    expect(readdirSync(backups)).toHaveLength(1);
    await fill(backend);
    const before = await objects(backend);
    await backend.close();
    writeFileSync(join(backups, 'index-2099-01-01T00-00-00.000Z.sqlite'), 'damaged');
    loseIndex();
    const found = await rebuildIndex(directory, () => undefined);
    expect(found.messages).toBe(1);
    const again = await open();
    expect(await objects(again)).toEqual(before);
    expect((await again.queue('dead-letters').counts()).visible).toBe(1);
    expect(await again.store.storedParts('source', 'a', id)).toHaveLength(1);
    await again.close();
  });

  test('A healthy index is not rebuilt', async () => {
    const backend = await open();
    await fill(backend);
    await backend.close();
    await expect(rebuildIndex(directory, () => undefined)).rejects.toThrow('is healthy');
  });

  test('After rebuilding, uploads without a job are announced again', async () => {
    await filled();
    loseIndex();
    await rebuildIndex(directory, () => undefined);
    const backend = await open();
    const again = await announceUnfinished(backend, layoutEnv(directory));
    expect(again.map(({ kind }) => kind)).toEqual(['upload', 'upload']);
    expect((await backend.queue('jobs').counts()).visible).toBe(2);
    await backend.close();
  });
});

test('Backups are made once a day, and the newest three are kept', async () => {
  const backend = await open();
  const folder = join(directory, 'backups');
  mkdirSync(folder);
  for (const day of ['01', '02', '03']) {
    writeFileSync(join(folder, `index-2026-01-${day}T00-00-00.000Z.sqlite`), '');
  }
  await backend.backUp();
  const names = readdirSync(folder).sort();
  expect(names).toHaveLength(3);
  expect(names[0]).toContain('2026-01-02');
  expect(statSync(join(folder, names[2] ?? '')).mode & 0o777).toBe(0o600);
  await backend.close();
});

test('A backend of the previous version keeps its messages, and accepts those with groups', async () => {
  const before = await open();
  await before.queue('jobs').send('kept');
  await before.close();
  const old = new DatabaseSync(index);
  old.exec('alter table messages drop column "group"; pragma user_version = 1');
  old.close();
  const backend = await open();
  const jobs = backend.queue('jobs');
  await jobs.send('new', 'a job');
  const messages = await jobs.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30 });
  expect(messages.map(({ body, group }) => [body, group])).toEqual([
    ['kept', undefined],
    ['new', 'a job'],
  ]);
  await backend.close();
});

test('A backend of an earlier version gets labels when it is opened', async () => {
  const before = await filled();
  for (const name of files().keys()) {
    if (name.endsWith('.json')) rmSync(join(directory, 'blobs', name));
  }
  const old = new DatabaseSync(index);
  old.exec(
    `drop table writing; alter table messages drop column failures;
     alter table messages drop column "group"; pragma user_version = 0`,
  );
  old.close();
  await (await open()).close();
  loseIndex();
  await rebuildIndex(directory, () => undefined);
  const backend = await open();
  expect(await objects(backend)).toEqual(before);
  await backend.close();
});
