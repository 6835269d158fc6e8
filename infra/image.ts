import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { WorkerSize } from './config.ts';

/** The files and folders that the worker's image is built from. */
export const CONTENT = [
  'Dockerfile',
  '.dockerignore',
  'package.json',
  'package-lock.json',
  'core',
  'worker',
];

/**
 * The UTC month whose system updates the image contains: `2026-11`. An image that is rebuilt within a month has the
 * minute instead: `2026-11-28T06-12`. A deploy passes its choice in VODSTACK_IMAGE_MONTH.
 */
export function imageMonth(): string {
  return process.env['VODSTACK_IMAGE_MONTH'] ?? new Date().toISOString().slice(0, 7);
}

/**
 * The image's tag: the month, and 16 hex digits of a hash over the architecture and the image's content. The same files
 * have the same tag on every machine, so an image that was pushed is not built again. Each month has a new image, with
 * the updates of Debian and Node.
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

/** Every file below a path, sorted by name. Empty if the path does not exist. */
function filesOf(path: string): readonly string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesOf(join(path, name)));
}
