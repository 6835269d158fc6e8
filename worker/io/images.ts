import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place } from '../plan/encode.ts';
import { imageNames, imagesCommand, storyboardVtt } from '../plan/images.ts';
import type { Plan } from '../plan/plan.ts';

/** Makes all images of an asset; yields them by their names under `images/`. */
export async function* makeImages(
  plan: Plan,
  place: Place,
  run: (argv: readonly string[]) => Promise<void>,
): AsyncGenerator<{ readonly name: string; readonly bytes: Uint8Array }> {
  if (!plan.images) return;
  const { poster, thumbnails, sheets, storyboard } = imageNames(plan.images);
  await run(imagesCommand(plan, place, 'skipped'));
  // A film of the night has no other frames than dark ones.
  if (!existsSync(join(place.directory, poster))) await run(imagesCommand(plan, place, 'allowed'));
  for (const name of [poster, ...thumbnails, ...sheets]) {
    yield { name, bytes: await readFile(join(place.directory, name)) };
  }
  const text = storyboardVtt(plan.images.storyboard, plan.durationSeconds);
  yield { name: storyboard, bytes: Buffer.from(text) };
}
