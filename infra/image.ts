import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { WorkerSize } from './config.ts';

/** What the worker's image is built from, below the root of the project. */
export const CONTENT = [
  'Dockerfile',
  '.dockerignore',
  'package.json',
  'package-lock.json',
  'core',
  'worker',
];

/**
 * The month whose updates of the system are in the image, as `2026-11`, in UTC; or the minute, as `2026-11-28T06-12`,
 * of one that was built anew within a month. A deploy says which one to what it starts, by VODSTACK_IMAGE_MONTH.
 */
export function imageMonth(): string {
  return process.env['VODSTACK_IMAGE_MONTH'] ?? new Date().toISOString().slice(0, 7);
}

/**
 * The image's tag: the month, and a hash of what the image is built from and of the processors that it
 * is for, 16 hex digits. The same files give the same tag on every machine, so that what is pushed
 * already need not be built again; in another month it is, with what Debian and Node have mended.
 */
export function imageTag(
  architecture: WorkerSize['architecture'],
  month: string,
  root: string = join(import.meta.dirname, '..'),
): string {
  const hash = createHash('sha256').update(`${architecture} `);
  for (const file of CONTENT.flatMap((path) => filesOf(join(root, path)))) {
    const name = relative(root, file);
    const bytes = readFileSync(file);
    hash.update(`${name.length} ${name} ${bytes.length} `).update(bytes);
  }
  return `${month}-${hash.digest('hex').slice(0, 16)}`;
}

/** Every file below a path, in the order of their names; none when there is no such path. */
function filesOf(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesOf(join(path, name)));
}
