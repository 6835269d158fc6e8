import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SHOWN_IMAGES } from '../plan/encode-images.ts';
import type { PictureReference } from '../plan/gate/pictures.ts';
import { parseFrames, REFERENCE_FILES } from '../plan/gate/reference.ts';
import { ENCODED_LEVELS, parseLevels, sourceLevels } from '../plan/gate/sound.ts';
import type { SoundReference } from '../plan/gate/sound.ts';
import type { AudioTrack } from '../plan/plan.ts';

/** Reads the pictures that the run of a video unit recorded for the quality gate. */
export async function readReference(directory: string): Promise<Omit<PictureReference, 'sought'>> {
  return {
    source: parseFrames(await readFile(join(directory, REFERENCE_FILES.source), 'utf8')),
    grid: await readFile(join(directory, REFERENCE_FILES.grid)),
    shown: await readFile(join(directory, REFERENCE_FILES.shown)),
    keys: await readFile(join(directory, REFERENCE_FILES.keys)),
  };
}

/** Reads the levels that the run of a sound unit recorded for the quality gate. */
export async function readLevels(
  directory: string,
  { streams }: AudioTrack,
): Promise<Omit<SoundReference, 'decoded'>> {
  const levels = async (name: string) => parseLevels(await readFile(join(directory, name), 'utf8'));
  const source = await Promise.all(streams.map((_, place) => levels(sourceLevels(place))));
  return { source: source.flat(), encoded: await levels(ENCODED_LEVELS) };
}

/** Reads small copies of the pictures that the images were made from. */
export function readShown(directory: string): Promise<Uint8Array> {
  return readFile(join(directory, SHOWN_IMAGES));
}
