import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName } from './plan/formats.ts';

/** A segment file that ffmpeg has finished. */
export interface SegmentFile {
  readonly rendition: string;
  /** Counted within the asset. */
  readonly index: number;
  readonly bytes: Buffer;
}

/** Creates the folder of each rendition; ffmpeg does not. */
export async function makeFolders(directory: string, renditions: readonly string[]): Promise<void> {
  for (const rendition of renditions) await mkdir(join(directory, rendition), { recursive: true });
}

/**
 * Yields the finished segments of one rendition in order, from `first` on, also while ffmpeg is running. A segment is
 * finished when the next one exists; `all` includes the last one. Each file is removed after it was yielded, which
 * keeps the disk usage small.
 */
export async function* takeSegments(
  directory: string,
  rendition: string,
  first: number,
  all: boolean,
): AsyncGenerator<SegmentFile> {
  const folder = join(directory, rendition);
  const names = new Set(await readdir(folder));
  for (let index = first; names.has(segmentName(index)); index += 1) {
    if (!all && !names.has(segmentName(index + 1))) return;
    const path = join(folder, segmentName(index));
    yield { rendition, index, bytes: await readFile(path) };
    await rm(path);
  }
}
