import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONTENT, imageTag } from '../../infra/image.ts';
import { ROOT, dependencies, importsOf, workerFiles } from './worker-imports.ts';

describe("The image's tag", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'vodstack-image-'));
    await mkdir(join(root, 'worker', 'io'), { recursive: true });
    await writeFile(join(root, 'Dockerfile'), 'FROM scratch\n');
    await writeFile(join(root, 'package.json'), '{}');
    await writeFile(join(root, 'worker', 'main.ts'), 'one');
    await writeFile(join(root, 'worker', 'io', 'home.ts'), 'two');
  });

  test('is the same for the same files, wherever they lie.', async () => {
    const copy = `${root}-copy`;
    await cp(root, copy, { recursive: true });
    expect(imageTag('X86_64', root)).toMatch(/^[0-9a-f]{16}$/);
    expect(imageTag('X86_64', copy)).toBe(imageTag('X86_64', root));
  });

  test('is another when a byte, a name, a border between files or the architecture is another.', async () => {
    const tags = [imageTag('X86_64', root)];
    const changed = async (change: Promise<void>) => {
      await change;
      tags.push(imageTag('X86_64', root));
    };
    await changed(writeFile(join(root, 'worker', 'main.ts'), 'One'));
    await changed(writeFile(join(root, 'Dockerfile'), 'FROM scratch\n#\n'));
    await changed(rename(join(root, 'worker', 'main.ts'), join(root, 'worker', 'Main.ts')));
    await changed(writeFile(join(root, 'package-lock.json'), ''));
    tags.push(imageTag('ARM64', root));
    expect(new Set(tags).size).toBe(tags.length);
  });

  test('does not depend on what is not in the image.', async () => {
    const before = imageTag('X86_64', root);
    await mkdir(join(root, 'test'));
    await writeFile(join(root, 'test', 'some.test.ts'), 'x');
    expect(imageTag('X86_64', root)).toBe(before);
  });
});

describe('The image', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ');

  test('is built from what its tag is a hash of, and the builder is shown nothing else.', () => {
    const copied = [...dockerfile.matchAll(/^(?:COPY|ADD) (?!--from)(?:--\S+ )*(.+) \S+$/gm)];
    const sources = new Set(copied.flatMap(([, paths = '']) => paths.split(' ')));
    expect(new Set(['Dockerfile', '.dockerignore', ...sources])).toEqual(new Set(CONTENT));
    const shown = readFileSync(join(ROOT, '.dockerignore'), 'utf8').match(/^[^#\n]+/gm);
    expect(new Set(shown)).toEqual(new Set(['*', ...[...sources].map((path) => `!${path}`)]));
  });

  test('has every file that the worker imports.', () => {
    const imported = workerFiles().flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => join(dirname(file), name)),
    );
    expect(workerFiles()).toEqual(expect.arrayContaining(imported));
  });

  test('has every package that the worker imports, and no other.', () => {
    const imported = workerFiles()
      .flatMap(importsOf)
      .filter((name) => !name.startsWith('.'));
    expect(new Set(dependencies())).toEqual(new Set(imported));
  });
});
