import type { Unit } from '../../../core/model/units.ts';
import type { Plan } from '../plan.ts';
import { toNumber } from '../rational.ts';
import type { Defect } from './defect.ts';
import { keyFrames, NEIGHBOURS, TINY, copyAt, copyHash } from './reference.ts';
import type { SourcePicture } from './reference.ts';

type Chunk = Unit<'video'>;

/** The pictures of a chunk on their way through a video unit's run of ffmpeg. */
export interface PictureReference {
  /** The decoder's output, from before the chunk to just after it. */
  readonly source: readonly SourcePicture[];
  /** Tiny copies of the chunk's frames on the grid, in the source's colours. */
  readonly grid: Uint8Array;
  /** Tiny copies of the encoders' input. */
  readonly shown: Uint8Array;
  /** More exact copies of some of the encoders' input: see keyFrames. */
  readonly keys: Uint8Array;
  /** True if decoding began after the start of the source. */
  readonly sought: boolean;
}

/** Compares the chunk's frames with the decoder's output: each picture has its time, and none is lost. */
export function checkTimeline(
  plan: Plan,
  chunk: Chunk,
  reference: PictureReference,
): readonly Defect[] {
  const { source, sought } = reference;
  const frames = [reference.grid, reference.shown].map((copies) => copies.length / TINY.bytes);
  if (frames.some((count) => count !== chunk.frames)) {
    const sentence = `${chunk.name} has ${frames.join(' and ')} frames, not ${chunk.frames}.`;
    return [{ name: 'frame_count', sentence }];
  }
  const grid = Array.from({ length: chunk.frames }, (_, frame) =>
    copyHash(copyAt(reference.grid, frame)),
  );
  const rate = toNumber(plan.grid.rate);
  // In frames from the chunk's first frame.
  const positions = source.map(({ seconds }) => seconds * rate - chunk.firstFrame);
  const wrong = wrongFrames(source, positions, grid);
  const defects: Defect[] = [];
  if (wrong.length > 0) {
    defects.push({
      name: 'wrong_pictures',
      sentence: `${wrong.length} of ${grid.length} frames of ${chunk.name} do not show the source's picture of their time, the first one frame ${chunk.firstFrame + (wrong[0] ?? 0)}.`,
    });
  }
  if (sought && Math.round(positions[0] ?? 0) > 0) {
    defects.push({
      name: 'frozen_start',
      sentence: `${chunk.name} was decoded from ${(source[0]?.seconds ?? 0).toFixed(3)} s, after its first frame.`,
    });
  }
  return plan.media.video?.variableFrameRate
    ? defects
    : [...defects, ...checkPace(chunk, positions, rate)];
}

/** In frames. ffmpeg rounds times to microseconds, so a picture this close to a border may be in either frame. */
const BORDER = 0.001;

/**
 * The frames that do not show a picture of their time. A frame without a picture of its own repeats the last picture
 * before it, or the first of all. If the source has several pictures for a frame, any of them is accepted. Its last
 * picture of all can end before its frame begins.
 */
function wrongFrames(
  source: readonly SourcePicture[],
  positions: readonly number[],
  grid: readonly string[],
): readonly number[] {
  const expected = [-BORDER, 0, BORDER].map((shift) => {
    const frameOf = (picture: number) => Math.round((positions[picture] ?? 0) + shift);
    const isBrief = (picture: number) =>
      picture === source.length - 1 &&
      (positions[picture] ?? 0) - (positions[picture - 1] ?? 0) < STEP.min;
    let at = 0;
    return grid.map((_, frame) => {
      while (at + 1 < source.length && frameOf(at + 1) <= frame) at += 1;
      let first = at;
      while (first > 0 && (frameOf(first - 1) === frame || isBrief(first))) first -= 1;
      return source.slice(first, at + 1).map(({ hash }) => hash);
    });
  });
  return grid.flatMap((hash, frame) =>
    expected.some((hashes) => hashes[frame]?.includes(hash)) ? [] : [frame],
  );
}

/**
 * The distance between consecutive pictures at the grid's rate, in frames. Some of the pictures that are closer are
 * dropped.
 */
const STEP = { min: 0.75, max: 1.5 };
/** If the pictures' offsets within a frame spread over more than this share, no grid of their rate shows each once. */
const MAX_SPREAD = 0.9;
/** Fewer steps do not show the pace of a source. */
const MIN_STEPS = 10;
/** A clock that drifts against the grid's crosses a border now and then. */
const LOST_SHARE = 0.05;
/** Frames/s; faster sources lose pictures by design. */
const MAX_RATE = 60;

/** Pictures at the grid's rate must each be shown once, unless their times are so uneven that no grid could do that. */
function checkPace(chunk: Chunk, positions: readonly number[], rate: number): readonly Defect[] {
  const own = positions.filter((at) => Math.round(at) >= 0 && Math.round(at) < chunk.frames);
  const steps = own.slice(1).map((position, index) => position - (own[index] ?? 0));
  if (steps.length < MIN_STEPS) return [];
  const median = [...steps].sort((a, b) => a - b)[steps.length >> 1] ?? 1;
  if (median < STEP.min && rate / median < MAX_RATE * 1.01) {
    const sentence = `${chunk.name} has ${(rate / median).toFixed(2)} pictures per second, but the grid has only ${rate.toFixed(2)} frames.`;
    return [{ name: 'lost_pictures', sentence }];
  }
  const regular = own.slice(1).filter((_, index) => {
    const step = steps[index] ?? 0;
    return step > STEP.min && step < STEP.max;
  });
  const irregular = own.slice(1).filter((position, index) => {
    const step = steps[index] ?? 0;
    const frames = Math.round(position) - Math.round(own[index] ?? 0);
    return step > STEP.min && step < STEP.max && frames !== 1;
  }).length;
  if (irregular <= 1 + regular.length * LOST_SHARE || spread(regular) > MAX_SPREAD) return [];
  const sentence = `${irregular} of ${regular.length} pictures of ${chunk.name} are lost or doubled on the grid, although they have its rate.`;
  return [{ name: 'judder', sentence }];
}

/** The share of a frame that the pictures' offsets within their frames cover, where the end of a frame is its start. */
function spread(positions: readonly number[]): number {
  const offsets = positions.map((at) => at - Math.floor(at)).sort((a, b) => a - b);
  const gaps = offsets.map((at, index) => (offsets[index + 1] ?? (offsets[0] ?? 0) + 1) - at);
  return 1 - Math.max(...gaps);
}

/** The 8-bit levels by which the filters may change the colours of a frame. */
const COLOR_TOLERANCE = { mean: 4, chroma: 4 };

/**
 * Compares the colours of the encoders' input with the source's. Not applied to HDR and alpha, whose colours change.
 */
export function checkColors(
  { media: { video } }: Plan,
  chunk: Chunk,
  { grid, shown }: PictureReference,
): readonly Defect[] {
  // Transparent pixels have colours of their own, but become black.
  if (!video || video.transfer !== 'sdr' || video.alpha) return [];
  const changed = Array.from({ length: chunk.frames }, (_, frame) =>
    difference(copyAt(grid, frame), copyAt(shown, frame)),
  ).filter(
    ({ mean, chroma }) =>
      Math.abs(mean) > COLOR_TOLERANCE.mean ||
      chroma.some((plane) => Math.abs(plane) > COLOR_TOLERANCE.chroma),
  );
  const [first] = changed;
  if (!first) return [];
  const levels = [first.mean, ...first.chroma].map((one) => one.toFixed(1)).join(', ');
  const sentence = `${changed.length} of ${chunk.frames} frames of ${chunk.name} have other colours than the source: ${levels} levels apart.`;
  return [{ name: 'wrong_colours', sentence }];
}

/** A decoded key frame of a rendition. */
export interface DecodedKey {
  readonly rendition: string;
  /** Counted within the chunk. */
  readonly frame: number;
  /** Its tiny copy. */
  readonly picture: Uint8Array;
}

/** The 8-bit levels by which encoding may change a tiny copy; the coarsest encoding changes less. */
const PICTURE_TOLERANCE = { luma: 10, mean: 4, chroma: 4 };
/**
 * A picture is shifted if it differs by more levels than this, and from a neighbour by less than this share of them.
 */
const SHIFTED = { levels: 2, share: 0.5 };

/** Compares the first key frame of each segment with the encoders' input. */
export function checkKeys(
  { grid }: Plan,
  chunk: Chunk,
  { keys }: Pick<PictureReference, 'keys'>,
  decoded: readonly DecodedKey[],
): readonly Defect[] {
  const indexes = new Map(keyFrames(grid, chunk.frames).map((frame, index) => [frame, index]));
  const inputAt = (frame: number) => {
    const index = indexes.get(frame);
    return index === undefined ? [] : [copyAt(keys, index)];
  };
  return decoded.flatMap(({ rendition, frame, picture }): readonly Defect[] => {
    const where = `The key frame ${frame} of ${rendition}`;
    const near = NEIGHBOURS.flatMap((distance) => inputAt(frame + distance));
    return checkPicture(where, picture, inputAt(frame)[0], near);
  });
}

/** Compares a decoded picture with its original, and with its neighbours to detect a shift. */
export function checkPicture(
  where: string,
  picture: Uint8Array,
  original: Uint8Array | undefined,
  neighbours: readonly Uint8Array[],
): readonly Defect[] {
  if (picture.length !== TINY.bytes) {
    return [{ name: 'damaged_picture', sentence: `${where} cannot be decoded.` }];
  }
  if (!original) {
    return [{ name: 'wrong_pictures', sentence: `${where} has no original to compare it with.` }];
  }
  const { luma, mean, chroma } = difference(original, picture);
  const nearest = Math.min(...neighbours.map((other) => difference(other, picture).luma));
  const shifted = luma > SHIFTED.levels && nearest < luma * SHIFTED.share;
  if (shifted || luma > PICTURE_TOLERANCE.luma) {
    const sentence = `${where} shows another picture (${luma.toFixed(1)} levels apart).`;
    return [{ name: 'wrong_pictures', sentence }];
  }
  const { mean: maxMean, chroma: maxChroma } = PICTURE_TOLERANCE;
  if (Math.abs(mean) > maxMean || Math.max(...chroma.map(Math.abs)) > maxChroma) {
    const levels = [mean, ...chroma].map((one) => one.toFixed(1)).join(', ');
    const sentence = `${where} has other colours: ${levels} levels apart.`;
    return [{ name: 'wrong_colours', sentence }];
  }
  return [];
}

/** The tiny copy that differs least from a picture. */
export function mostSimilar(
  picture: Uint8Array,
  copies: readonly Uint8Array[],
): Uint8Array | undefined {
  const ranked = copies.map((copy) => ({ copy, luma: difference(copy, picture).luma }));
  return ranked.sort((a, b) => a.luma - b.luma)[0]?.copy;
}

/** Any message of a decoder about our own output is a defect. */
export function checkDecoding(
  messages: string,
  name: 'damaged_segment' | 'damaged_image' = 'damaged_segment',
): readonly Defect[] {
  const [first] = messages.trim().split('\n');
  return first ? [{ name, sentence: `The decoder reports: ${first}` }] : [];
}

/**
 * The difference of two tiny copies in levels: the mean absolute one of luma, and the mean ones of all three planes.
 */
function difference(one: Uint8Array, other: Uint8Array) {
  const plane = (from: number, to: number) => {
    let sum = 0;
    let absolute = 0;
    for (let index = from; index < to; index += 1) {
      const distance = (other[index] ?? 0) - (one[index] ?? 0);
      sum += distance;
      absolute += Math.abs(distance);
    }
    return { mean: sum / (to - from), absolute: absolute / (to - from) };
  };
  const { luma, bytes } = TINY;
  const half = luma + (bytes - luma) / 2;
  const all = plane(0, luma);
  return {
    luma: all.absolute,
    mean: all.mean,
    chroma: [plane(luma, half).mean, plane(half, bytes).mean],
  };
}
