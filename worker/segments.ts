import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName } from './plan/formats.ts';

/** A segment file that ffmpeg has finished. */
export interface SegmentFile {
  readonly rendition: string;
  /** Its number in the whole asset. */
  readonly index: number;
  readonly bytes: Buffer;
}

/** A folder for each rendition, as ffmpeg makes none. */
export async function makeFolders(directory: string, renditions: readonly string[]): Promise<void> {
  for (const rendition of renditions) await mkdir(join(directory, rendition), { recursive: true });
}

/**
 * Takes the finished segments of one rendition in order, from `first` on, while ffmpeg still runs:
 * a segment is finished when the next one is there. Each file is gone once it is taken, so that the
 * disk holds a few of them, however long the source.
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
