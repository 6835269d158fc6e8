import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RejectedError } from '../../core/model/errors.ts';
import { imagesCommands } from '../plan/encode-images.ts';
import type { UnitPaths } from '../plan/encode.ts';
import type { ImageFile } from '../plan/gate/images.ts';
import { imageNames } from '../plan/plan-images.ts';
import type { Plan } from '../plan/plan.ts';
import { storyboardVtt } from '../plan/storyboard.ts';

/**
 * Makes all images of an asset, and yields them with their names below `images/`. Throws RejectedError if no picture of
 * the source can be decoded.
 */
export async function* makeImageFiles(
  plan: Plan,
  paths: UnitPaths,
  run: (argv: readonly string[]) => Promise<unknown>,
): AsyncGenerator<ImageFile> {
  const { poster, thumbnails, sheets, storyboard } = imageNames(plan.images);
  const hasPoster = () => existsSync(join(paths.directory, poster));
  let rejection: RejectedError | undefined;
  for (const argv of imagesCommands(plan, paths)) {
    rejection = await rejectionOf(run(argv));
    if (!rejection && hasPoster()) break;
  }
  if (rejection) throw rejection;
  if (!hasPoster()) {
    throw new RejectedError(
      'damaged_source',
      'The file is damaged: no picture of it could be decoded. Export or upload it again.',
    );
  }
  for (const name of [poster, ...thumbnails, ...sheets]) {
    const path = join(paths.directory, name);
    // The quality gate reports a missing one.
    if (existsSync(path)) yield { name, bytes: await readFile(path) };
  }
  if (!plan.images.storyboard || !storyboard) return;
  const text = storyboardVtt(plan.images.storyboard, plan.durationSeconds);
  yield { name: storyboard, bytes: Buffer.from(text) };
}

/** The RejectedError of a run; the next run may succeed without the rejected part. Throws any other error. */
async function rejectionOf(run: Promise<unknown>): Promise<RejectedError | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (error instanceof RejectedError) return error;
    throw error;
  }
}
