import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CONTENT, imageMonth, imageTag } from '../../infra/image.ts';
import { ROOT, dependencies, importsOf, workerFiles } from './worker-imports.ts';

describe("The image's tag", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'vodstack-image-'));
    await mkdir(join(root, 'worker', 'ffmpeg'), { recursive: true });
    await writeFile(join(root, 'Dockerfile'), 'FROM scratch\n');
    await writeFile(join(root, 'package.json'), '{}');
    await writeFile(join(root, 'worker', 'main.ts'), 'one');
    await writeFile(join(root, 'worker', 'ffmpeg', 'run.ts'), 'two');
  });

  test('Equal files have the same tag in every folder', async () => {
    const copy = `${root}-copy`;
    await cp(root, copy, { recursive: true });
    expect(imageTag('X86_64', '2026-11', root)).toMatch(/^2026-11-[0-9a-f]{16}$/);
    expect(imageTag('X86_64', '2026-11', copy)).toBe(imageTag('X86_64', '2026-11', root));
  });

  test('The tag changes with content, file names, file boundaries, architecture and month', async () => {
    const tags = [imageTag('X86_64', '2026-11', root)];
    const changed = async (change: Promise<void>) => {
      await change;
      tags.push(imageTag('X86_64', '2026-11', root));
    };
    await changed(writeFile(join(root, 'worker', 'main.ts'), 'One'));
    await changed(writeFile(join(root, 'Dockerfile'), 'FROM scratch\n#\n'));
    await changed(rename(join(root, 'worker', 'main.ts'), join(root, 'worker', 'Main.ts')));
    await changed(writeFile(join(root, 'package-lock.json'), ''));
    tags.push(imageTag('ARM64', '2026-11', root), imageTag('X86_64', '2026-12', root));
    expect(new Set(tags).size).toBe(tags.length);
  });

  test('The tag does not depend on files outside the image', async () => {
    const before = imageTag('X86_64', '2026-11', root);
    await mkdir(join(root, 'test'));
    await writeFile(join(root, 'test', 'some.test.ts'), 'x');
    expect(imageTag('X86_64', '2026-11', root)).toBe(before);
  });
});

describe('The month of an image', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.useRealTimers();
  });

  test('The month is the current one, unless a deploy has set it', () => {
    vi.useFakeTimers({ now: new Date('2026-12-01T00:00:01Z') });
    expect(imageMonth()).toBe('2026-12');
    vi.stubEnv('VODSTACK_IMAGE_MONTH', '2026-11');
    expect(imageMonth()).toBe('2026-11');
  });

  test('A new month invalidates the layer with system packages', () => {
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    expect(dockerfile).toMatch(
      /^ARG MONTH=\nRUN apt-get update && \\\n {2}apt-get upgrade -y && \\\n {2}apt-get install/m,
    );
  });
});

describe('The image', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').replaceAll('\\\n', ' ');

  test('The Dockerfile and .dockerignore contain exactly what the tag is a hash of', () => {
    const copied = [...dockerfile.matchAll(/^(?:COPY|ADD) (?!--from)(?:--\S+ )*(.+) \S+$/gm)];
    const sources = new Set(copied.flatMap(([, paths = '']) => paths.split(' ')));
    expect(new Set(['Dockerfile', '.dockerignore', ...sources])).toEqual(new Set(CONTENT));
    const shown = readFileSync(join(ROOT, '.dockerignore'), 'utf8').match(/^[^#\n]+/gm);
    expect(new Set(shown)).toEqual(new Set(['*', ...[...sources].map((path) => `!${path}`)]));
  });

  test('The image contains every file that the worker imports', () => {
    const imported = workerFiles().flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => join(dirname(file), name)),
    );
    expect(workerFiles()).toEqual(expect.arrayContaining(imported));
  });

  test('The image contains exactly the packages that the worker imports', () => {
    const imported = workerFiles()
      .flatMap(importsOf)
      .filter((name) => !name.startsWith('.'));
    expect(new Set(dependencies())).toEqual(new Set(imported));
  });
});
