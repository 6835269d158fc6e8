import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Every file of the worker, as a path relative to the project's root. */
export function workerFiles(): readonly string[] {
  return ['core', 'worker']
    .flatMap((room) => readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(ROOT.length + 1))
    .sort();
}

/** The imports of a file, except Node's own modules: packages and relative paths. */
export function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/\b(?:from|import\()\s*'([^']+)'/g)]
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('node:'));
}

/** These packages and all their dependencies. */
export function withDependencies(names: readonly string[]): ReadonlySet<string> {
  const found = new Set(names);
  // The loop also visits what it adds to the set.
  for (const name of found) {
    for (const further of Object.keys(locked(`node_modules/${name}`))) found.add(further);
  }
  return found;
}

/** The `dependencies` of package.json. */
export function dependencies(): readonly string[] {
  return Object.keys(locked(''));
}

const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.object({ dependencies: z.record(z.string(), z.string()).default({}) }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));

function locked(path: string): Readonly<Record<string, string>> {
  const found = lock.packages[path];
  if (!found) throw new Error(`package-lock.json has no ${path}.`);
  return found.dependencies;
}
