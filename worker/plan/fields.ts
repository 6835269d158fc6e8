import { inputOptions } from './encode.ts';
import { gridRate } from './frame-rate.ts';
import type { SourceMedia, SourceVideo } from './media.ts';
import { decoderOptions } from './picture.ts';
import { toNumber } from './rational.ts';

/** Pictures are examined at this many places, evenly from start to end, */
const PLACES = 6;
/** and this many at each place. */
const PICTURES = 7;
/** The luma is reduced to this many columns, and keeps all lines. */
const COLUMNS = 320;

/** A single field has 240 or 288 lines; the largest interlaced raster has 1080 lines, coded as 1088. */
const LINES = { above: 288, max: 1088 };
/** No camera records 720 interlaced lines. */
const NEVER_INTERLACED_LINES = 720;
/** In frames of two fields each, per second. */
const INTERLACED_RATES = [25, 30_000 / 1001, 30];

/** True if pictures may be interlaced although neither header nor frames declare it. */
export function mayHoldFields(video: SourceVideo, codedLines: number): boolean {
  const rate = toNumber(gridRate(video.rates));
  return (
    video.fieldOrder === 'progressive' &&
    !video.resized &&
    codedLines > LINES.above &&
    codedLines <= LINES.max &&
    codedLines !== NEVER_INTERLACED_LINES &&
    INTERLACED_RATES.some((one) => Math.abs(one - rate) < 0.01)
  );
}

/** One ffmpeg command for each place, which writes pictures to its standard output for `motionsIn`. */
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

/** What two consecutive pictures show: fields, whole frames, contradictory movement, or none. */
export type Motion = 'top_first' | 'bottom_first' | 'whole' | 'unclear' | 'still';

/** The motions between the pictures of one place. An incomplete last picture is ignored. */
export function motionsIn(output: Uint8Array, codedLines: number): readonly Motion[] {
  const bytes = COLUMNS * codedLines;
  const pictures = Array.from({ length: Math.floor(output.length / bytes) }, (_, picture) =>
    output.subarray(picture * bytes, (picture + 1) * bytes),
  );
  return pictures.slice(1).map((next, place) => motionBetween(pictures[place] ?? next, next));
}

/** Combs below these limits show no movement: luma per pixel, and a share of the combs that fine details make. */
const MIN_MOVEMENT = { luma: 0.05, share: 0.02 };
/** Fields that are adjacent in time add at most this share of the combs that more distant fields add. */
const ADJACENT_SHARE = 0.5;

/**
 * Combs are lines that differ from both of their neighbours. The lines of two consecutive pictures are woven together
 * in two ways: the next picture's top field with this bottom field, and the reverse. In progressive video both ways add
 * combs, as all lines of a picture are from one moment. In interlaced video one way joins fields that are as near in
 * time as those of a picture and adds none; the other joins fields that are three times as far apart. ffmpeg's idet only
 * compares the two ways with each other, but they also differ in progressive video with fine lines, such as scrolling
 * text.
 */
function motionBetween(one: Uint8Array, next: Uint8Array): Motion {
  const within = (combs(one, one) + combs(next, next)) / 2;
  const nextTop = combs(next, one) - within;
  const nextBottom = combs(one, next) - within;
  const [less, more] = nextTop < nextBottom ? [nextTop, nextBottom] : [nextBottom, nextTop];
  const movement = Math.max(more, -less);
  if (movement < Math.max(MIN_MOVEMENT.luma, MIN_MOVEMENT.share * within)) return 'still';
  // The bottom field lies between this picture's top field and the next one's.
  if (Math.abs(less) < ADJACENT_SHARE * more)
    return nextTop < nextBottom ? 'top_first' : 'bottom_first';
  return less > 0 ? 'whole' : 'unclear';
}

/** The combs per pixel of one picture's top field (lines 0, 2, 4 …) woven with another's bottom field. */
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

/** At least this many motions must show fields of one order, */
const MIN_FIELDS = 4;
/** this share of all that are not still, */
const MIN_SHARE = 0.5;
/** and at most this share as many the other order. */
const MAX_OTHER = 0.1;

/** The field order that undeclared pictures show; undefined for progressive ones. */
export function shownFields(
  motions: readonly Motion[],
): Pick<SourceVideo, 'fieldOrder' | 'fieldsFlagged'> | undefined {
  const count = (wanted: Motion) => motions.filter((motion) => motion === wanted).length;
  const [top, bottom] = [count('top_first'), count('bottom_first')];
  const [main, other] = top > bottom ? [top, bottom] : [bottom, top];
  const moving = motions.length - count('still');
  if (main < MIN_FIELDS || main < MIN_SHARE * moving || other > MAX_OTHER * main) return;
  return { fieldOrder: top > bottom ? 'top_first' : 'bottom_first', fieldsFlagged: false };
}

/** True if the remaining places can no longer show that the source is interlaced. */
export function areProgressive(motions: readonly Motion[], placesLeft: number): boolean {
  const orders = ['top_first', 'bottom_first'] as const;
  return orders.every((order) => {
    const left = Array.from({ length: placesLeft * (PICTURES - 1) }, () => order);
    return shownFields([...motions, ...left]) === undefined;
  });
}
