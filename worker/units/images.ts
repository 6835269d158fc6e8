import { imagePath } from '../../core/model/keys.ts';
import type { Unit } from '../../core/model/units.ts';
import { makeImageFiles } from '../ffmpeg/images.ts';
import { readShown } from '../ffmpeg/reference.ts';
import { imagesDecoder } from '../plan/encode-images.ts';
import { checkImages } from '../plan/gate/images.ts';
import { checkDecoding } from '../plan/gate/pictures.ts';
import { makeWithRetry } from './work.ts';
import type { UnitResult, Work } from './work.ts';

/** Makes the poster, the thumbnails and the storyboard, and uploads them. */
export async function makeImages(work: Work, unit: Unit<'images'>): Promise<UnitResult> {
  const { plan, address } = work;
  return makeWithRetry(work, unit.name, async (directory) => {
    const decoder = work.decoder(imagesDecoder(plan.images));
    const files = [];
    const jpegs = [];
    const run = (argv: readonly string[]) => work.run(argv);
    for await (const image of makeImageFiles(plan, { address, directory }, run)) {
      const { name, bytes } = image;
      files.push({ name, ...(await work.upload(imagePath(name), bytes)) });
      if (!name.endsWith('.jpg')) continue;
      jpegs.push(image);
      await decoder.write(bytes);
    }
    const { output, errors } = await decoder.end();
    const defects = [
      ...checkImages(plan, jpegs, await readShown(directory), output),
      ...checkDecoding(errors, 'damaged_image'),
    ];
    return { made: { kind: 'images', files }, defects };
  });
}
