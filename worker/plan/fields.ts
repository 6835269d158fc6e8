import { inputOptions } from './encode.ts';
import { gridRate } from './frame-rate.ts';
import { decoderOptions } from './picture.ts';
import { toNumber } from './rational.ts';
import type { SourceMedia, SourceVideo } from './media.ts';

/**
 * Pictures are looked at in so many places, evenly from start to end, so many in each. Of each picture
 * so many columns of luma are enough, but all lines.
 */
const PLACES = 6;
const PICTURES = 7;
const COLUMNS = 320;

/** A field alone has 240 lines or 288, and the largest raster of fields 1080, coded as 1088. */
const LINES = { more: 288, most: 1088 };
/** Fields of high definition have 1080 lines: no camera ever made any of 720. */
const NEVER_FIELDS = 720;
/** Frames of two fields each, a second. */
const FIELD_RATES = [25, 30_000 / 1001, 30];

/** True for pictures that may be made of two fields each, although neither header nor frames say so. */
export function mayHoldFields(video: SourceVideo, codedLines: number): boolean {
  const rate = toNumber(gridRate(video.rates));
  return (
    video.fieldOrder === 'progressive' &&
    !video.resized &&
    codedLines > LINES.more &&
    codedLines <= LINES.most &&
    codedLines !== NEVER_FIELDS &&
    FIELD_RATES.some((one) => Math.abs(one - rate) < 0.01)
  );
}

/** The runs of ffmpeg that write pictures to their standard output, for `stepsIn`: one for each place. */
export function fieldCommands(
  { video, opening, startSeconds, durationSeconds }: SourceMedia & { readonly video: SourceVideo },
  address: string,
  codedLines: number,
): readonly (readonly string[])[] {
  return Array.from({ length: PLACES }, (_, place) => {
    const seekSeconds = place === 0 ? undefined : startSeconds + (durationSeconds * place) / PLACES;
    return [
      ...['-nostdin', '-hide_banner', '-loglevel', 'level+error', '-filter_threads', '1'],
      ...decoderOptions(video),
      ...inputOptions({ address, seekSeconds }, opening),
      ...['-map', `0:${video.index}`, '-frames:v', String(PICTURES), '-fps_mode', 'passthrough'],
      ...['-vf', `format=gray,scale=${COLUMNS}:${codedLines}:flags=neighbor`],
      ...['-f', 'rawvideo', 'pipe:1'],
    ];
  });
}

/** What two pictures that follow each other show: fields, whole frames, neither, or no movement. */
export type Step = 'top_first' | 'bottom_first' | 'whole' | 'odd' | 'still';

/** The steps of one place. A picture that broke off is left out. */
export function stepsIn(output: Uint8Array, codedLines: number): readonly Step[] {
  const bytes = COLUMNS * codedLines;
  const pictures = Array.from({ length: Math.floor(output.length / bytes) }, (_, picture) =>
    output.subarray(picture * bytes, (picture + 1) * bytes),
  );
  return pictures.slice(1).map((next, place) => stepBetween(pictures[place] ?? next, next));
}

/** Movement that shows less than this in combs is none: by luma for each pixel, and by the combs that details make. */
const LEAST_MOVEMENT = { luma: 0.05, share: 0.02 };
/** Fields that lie next to each other in time comb alike, whichever pictures they are of. */
const ALIKE = 0.5;

/**
 * Combs are what lines show that differ from both their neighbours. Lines of one picture are woven into
 * the next. In whole frames both ways of doing so add combs, as all lines of a picture are of one moment.
 * Of fields, one way joins two that lie as near to each other in time as those of a picture, and adds
 * none, and the other way joins two that lie three times as far apart. idet compares only the two ways
 * with each other, which differ also in whole frames with fine lines, such as text that scrolls.
 */
function stepBetween(one: Uint8Array, next: Uint8Array): Step {
  const within = (combs(one, one) + combs(next, next)) / 2;
  const nextTop = combs(next, one) - within;
  const nextBottom = combs(one, next) - within;
  const [least, most] = nextTop < nextBottom ? [nextTop, nextBottom] : [nextBottom, nextTop];
  const movement = Math.max(most, -least);
  if (movement < Math.max(LEAST_MOVEMENT.luma, LEAST_MOVEMENT.share * within)) return 'still';
  // The bottom field lies between this picture's top field and the next one's.
  if (Math.abs(least) < ALIKE * most) return nextTop < nextBottom ? 'top_first' : 'bottom_first';
  return least > 0 ? 'whole' : 'odd';
}

/** The combs of a picture of the top field (lines 0, 2, 4 …) of one and the bottom field of another, by pixel. */
function combs(top: Uint8Array, bottom: Uint8Array): number {
  let sum = 0;
  const lines = top.length / COLUMNS;
  for (let line = 1; line < lines - 1; line += 1) {
    const [own, other] = line % 2 === 0 ? [top, bottom] : [bottom, top];
    for (let at = line * COLUMNS; at < (line + 1) * COLUMNS; at += 1) {
      const around = (other[at - COLUMNS] ?? 0) + (other[at + COLUMNS] ?? 0);
      sum += Math.abs(around - 2 * (own[at] ?? 0));
    }
  }
  return sum / top.length;
}

/** So many steps have to show fields, in this share of all that move, */
const LEAST_STEPS = 4;
const LEAST_SHARE = 0.5;
/** and nearly none of them the other order. */
const MOST_OTHER = 0.1;

/** The fields of pictures that do not say that they have any; nothing where they are whole frames. */
export function shownFields(
  steps: readonly Step[],
): Pick<SourceVideo, 'fieldOrder' | 'fieldsFlagged'> | undefined {
  const count = (wanted: Step) => steps.filter((step) => step === wanted).length;
  const [top, bottom] = [count('top_first'), count('bottom_first')];
  const [most, other] = top > bottom ? [top, bottom] : [bottom, top];
  const moving = steps.length - count('still');
  if (most < LEAST_STEPS || most < LEAST_SHARE * moving || other > MOST_OTHER * most) return;
  return { fieldOrder: top > bottom ? 'top_first' : 'bottom_first', fieldsFlagged: false };
}

/** True when the places that are left cannot make fields of what the steps so far show. */
export function areWhole(steps: readonly Step[], placesLeft: number): boolean {
  const orders = ['top_first', 'bottom_first'] as const;
  return orders.every((order) => {
    const left = Array.from({ length: placesLeft * (PICTURES - 1) }, () => order);
    return shownFields([...steps, ...left]) === undefined;
  });
}
