import { sheetLayout } from '../encode-images.ts';
import type { Size } from '../media.ts';
import { imageNames } from '../plan-images.ts';
import type { Plan } from '../plan.ts';
import type { Defect } from './defect.ts';
import { checkPicture, mostSimilar } from './pictures.ts';
import { NEIGHBOURS, shrinkCopy, TINY, tilesOf, copyAt } from './reference.ts';

export interface ImageFile {
  /** Below `images/`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Compares the JPEGs with the plan and with the pictures that they were made from. `shown` contains tiny copies of
 * those pictures. `decoded` is the output of `imagesDecoder` for the JPEGs.
 */
export function checkImages(
  { images }: Plan,
  jpegs: readonly ImageFile[],
  shown: Uint8Array,
  decoded: Uint8Array,
): readonly Defect[] {
  const sheet = sheetLayout(images.storyboard);
  const moments = Array.from({ length: shown.length / TINY.bytes }, (_, at) => copyAt(shown, at));
  return expectedImages(images).flatMap(({ name, size, tiles }): readonly Defect[] => {
    const index = jpegs.findIndex((jpeg) => jpeg.name === name);
    const jpeg = jpegs[index];
    if (!jpeg) return [{ name: 'missing_object', sentence: `${name} was not made.` }];
    const form = checkForm(jpeg, size);
    const bytes = TINY.bytes * sheet.columns * sheet.rows;
    const copy = decoded.subarray(index * bytes, (index + 1) * bytes);
    if (copy.length !== bytes) {
      return [...form, { name: 'damaged_image', sentence: `${name} cannot be decoded.` }];
    }
    if (!tiles) {
      const picture = shrinkCopy(copy, sheet);
      return [...form, ...checkPicture(name, picture, mostSimilar(picture, moments), [])];
    }
    const defects = tilesOf(copy, sheet)
      .slice(0, tiles.count)
      .flatMap((picture, tile) => {
        const moment = tiles.first + tile;
        const near = NEIGHBOURS.flatMap((distance) => moments[moment + distance] ?? []);
        return checkPicture(`Tile ${tile} of ${name}`, picture, moments[moment], near);
      });
    return [...form, ...defects];
  });
}

interface ExpectedImage {
  readonly name: string;
  readonly size: Size;
  /** For a sheet: the number of tiles to compare, and the index of the first one in the storyboard. */
  readonly tiles?: { readonly first: number; readonly count: number };
}

function expectedImages(images: Plan['images']): readonly ExpectedImage[] {
  const { poster, thumbnails, storyboard } = images;
  const names = imageNames(images);
  const sheets = storyboard
    ? names.sheets.map((name, index): ExpectedImage => {
        const { tile, columns, rows, tiles } = storyboard;
        const first = index * columns * rows;
        return {
          name,
          size: { width: tile.width * columns, height: tile.height * rows },
          tiles: { first, count: isLegible(tile) ? Math.min(tiles - first, columns * rows) : 0 },
        };
      })
    : [];
  return [
    { name: names.poster, size: poster },
    ...names.thumbnails.map((name, index) => ({ name, size: thumbnails[index] ?? poster })),
    ...sheets,
  ];
}

/** False for tiles smaller than a tiny copy: scaled up, neighbouring tiles blend into each other. */
function isLegible({ width, height }: Size): boolean {
  return width >= TINY.width && height >= TINY.height;
}

function checkForm({ name, bytes }: ImageFile, { width, height }: Size): readonly Defect[] {
  const size = jpegSize(bytes);
  if (!size || bytes.at(-2) !== 0xff || bytes.at(-1) !== END_OF_IMAGE) {
    return [{ name: 'damaged_image', sentence: `${name} is not a complete JPEG.` }];
  }
  if (size.width === width && size.height === height) return [];
  const sentence = `${name} is ${size.width}x${size.height}, not ${width}x${height}.`;
  return [{ name: 'image_form', sentence }];
}

/** The second bytes of markers in ITU-T T.81, table B.1. */
const END_OF_IMAGE = 0xd9;
const START_OF_FRAME = 0xc0;

/** Undefined if the bytes are not a baseline JPEG. */
function jpegSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // The segments after the start-of-image marker: marker, length, content.
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    if (bytes[at + 1] === START_OF_FRAME) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
  }
  return undefined;
}
