import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RejectedError } from '../../core/model/errors.ts';
import type { Place } from '../plan/encode.ts';
import type { MadeImage } from '../plan/gate/images.ts';
import { imageNames, imagesCommands, storyboardVtt } from '../plan/images.ts';
import type { Plan } from '../plan/plan.ts';

/**
 * Makes all images of an asset; yields them by their names under `images/`. Throws RejectedError for
 * a source that has nothing to make a poster of.
 */
export async function* makeImages(
  plan: Plan,
  place: Place,
  run: (argv: readonly string[]) => Promise<unknown>,
): AsyncGenerator<MadeImage> {
  const { poster, thumbnails, sheets, storyboard } = imageNames(plan.images);
  const found = () => existsSync(join(place.directory, poster));
  let refusal: RejectedError | undefined;
  for (const argv of imagesCommands(plan, place)) {
    refusal = await refusalOf(run(argv));
    if (!refusal && found()) break;
  }
  if (refusal) throw refusal;
  if (!found()) {
    throw new RejectedError(
      'damaged_source',
      'The file is damaged: no picture of it could be decoded. Export or upload it again.',
    );
  }
  for (const name of [poster, ...thumbnails, ...sheets]) {
    const path = join(place.directory, name);
    // The gate says which one is missing.
    if (existsSync(path)) yield { name, bytes: await readFile(path) };
  }
  if (!plan.images.storyboard || !storyboard) return;
  const text = storyboardVtt(plan.images.storyboard, plan.durationSeconds);
  yield { name: storyboard, bytes: Buffer.from(text) };
}

/** What ffmpeg found wrong with the source, which the next run may do without. Throws any other failure. */
async function refusalOf(run: Promise<unknown>): Promise<RejectedError | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (error instanceof RejectedError) return error;
    throw error;
  }
}
