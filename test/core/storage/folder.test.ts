import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PRIVATE_FOLDER, makeFolder } from '../../../core/storage/folder.ts';
import { openLocalBackend } from '../../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT } from '../../../core/storage/local/layout.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vodstack-folder-'));
});
afterEach(() => rm(directory, { recursive: true }));

const permissions = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('A folder', () => {
  test('A folder is made with its parents, which get the usual permissions', async () => {
    const path = join(directory, 'a', 'b');
    await makeFolder(path, PRIVATE_FOLDER);
    await makeFolder(path);
    await mkdir(join(directory, 'usual'));
    expect(await permissions(path)).toBe('700');
    expect(await permissions(join(directory, 'a'))).toBe(
      await permissions(join(directory, 'usual')),
    );
  });

  test('Several callers can make the same folder at once', async () => {
    const path = join(directory, 'a', 'b', 'c');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(path)));
    expect(await readdir(path)).toEqual([]);
  });

  test('A folder that cannot be made is an error at once', async () => {
    const file = join(directory, 'file');
    const dangling = join(directory, 'dangling');
    await writeFile(file, '');
    await symlink('/no/such/folder', dangling);
    await expect(makeFolder(file)).rejects.toThrow('EEXIST');
    await expect(makeFolder(join(file, 'a', 'b'))).rejects.toThrow('ENOTDIR');
    await expect(makeFolder(join(dangling, 'a', 'b'))).rejects.toThrow(/EEXIST|ENOENT/);
    await expect(makeFolder('/proc/no/such')).rejects.toThrow('ENOENT');
  });
});

describe('A local backend', () => {
  const open = async (path: string) => {
    const backend = await openLocalBackend({ directory: path, layout: LOCAL_LAYOUT });
    await backend.store.put('source', 'a', 'bytes');
    return backend;
  };
  const list = async (path: string) =>
    execFileSync('find', [path, '-printf', '%y %m\n'], { encoding: 'utf8' }).trim().split('\n');

  test('Only the owner can read the files of a local backend', async () => {
    const path = join(directory, 'data');
    const backend = await open(path);
    expect(new Set(await list(path))).toEqual(new Set(['d 700', 'f 600']));
    await backend.close();
  });

  test('A local backend of an earlier version becomes private', async () => {
    const path = join(directory, 'data');
    for (const folder of [path, join(path, 'blobs'), join(path, 'demo')]) await mkdir(folder);
    await writeFile(join(path, 'index.sqlite'), '');
    const backend = await open(path);
    await backend.close();
    expect(await permissions(path)).toBe('700');
    expect(await permissions(join(path, 'blobs'))).toBe('700');
    expect(await permissions(join(path, 'index.sqlite'))).toBe('600');
  });

  test('A local backend in a folder with other entries leaves the permissions of that folder alone', async () => {
    await writeFile(join(directory, 'notes.txt'), '');
    await chmod(directory, 0o755);
    const backend = await open(directory);
    await backend.close();
    expect(await permissions(directory)).toBe('755');
    expect(await permissions(join(directory, 'blobs'))).toBe('700');
    expect(await permissions(join(directory, 'index.sqlite'))).toBe('600');
  });
});
