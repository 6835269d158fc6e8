import { toNumber } from '../rational.ts';
import type { Plan } from '../plan.ts';
import type { Unit } from '../../../core/model/units.ts';
import type { Defect } from './defect.ts';
import { keyFrames, NEIGHBOURS, TINY, copyAt, copyHash } from './reference.ts';
import type { SourcePicture } from './reference.ts';

type Chunk = Unit<'video'>;

/** What a video unit's run tells of its pictures. */
export interface PictureReference {
  /** As the decoder gave them, from before the chunk to just behind it. */
  readonly source: readonly SourcePicture[];
  /** The tiny copies of the chunk's frames, one after the other: in the source's own colours, */
  readonly grid: Uint8Array;
  /** and in those that go to the encoders. */
  readonly shown: Uint8Array;
  /** Finer copies of some of those: see keyFrames. */
  readonly keys: Uint8Array;
  /** The decoder began elsewhere than at the source's start. */
  readonly sought: boolean;
}

/** Holds the chunk's frames against the pictures that the decoder gave: each at its time, none lost. */
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
  // In frames from the chunk's first.
  const places = source.map(({ seconds }) => seconds * rate - chunk.firstFrame);
  const wrong = wrongFrames(source, places, grid);
  const defects: Defect[] = [];
  if (wrong.length > 0) {
    defects.push({
      name: 'wrong_pictures',
      sentence: `${wrong.length} of ${grid.length} frames of ${chunk.name} show another picture than the source's of that time, first frame ${chunk.firstFrame + (wrong[0] ?? 0)}.`,
    });
  }
  if (sought && Math.round(places[0] ?? 0) > 0) {
    defects.push({
      name: 'frozen_start',
      sentence: `${chunk.name} was decoded from ${(source[0]?.seconds ?? 0).toFixed(3)} s on, which is too late for its first frame.`,
    });
  }
  return plan.media.video?.variableFrameRate
    ? defects
    : [...defects, ...checkPace(chunk, places, rate)];
}

/** Times are rounded to microseconds on their way: so near to the border of two frames both are right. */
const BORDER = 0.001;

/**
 * The frames that show no picture of their time. A frame without one repeats the last picture before it,
 * or the first of all. A source that is thinned out has several for a frame, and any of them will do; its
 * very last one can be over before its frame begins.
 */
function wrongFrames(
  source: readonly SourcePicture[],
  places: readonly number[],
  grid: readonly string[],
): readonly number[] {
  const expected = [-BORDER, 0, BORDER].map((shift) => {
    const frameOf = (picture: number) => Math.round((places[picture] ?? 0) + shift);
    const isBrief = (picture: number) =>
      picture === source.length - 1 &&
      (places[picture] ?? 0) - (places[picture - 1] ?? 0) < NEXT.least;
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

/** Distances between pictures, in frames of the grid, that mean the next frame. Pictures that are nearer to each other are thinned out. */
const NEXT = { least: 0.75, most: 1.5 };
/** Where all pictures lie so far from the middle of a frame, no grid of their rate loses any. */
const FITTING = 0.9;
/** A source of fewer pictures tells nothing of its pace. */
const FEW = 10;
/** A clock that runs apart from the grid's passes a border now and then. */
const LOST_SHARE = 0.05;
/** Frames a second; a source of more is thinned out. */
const MOST = 60;

/**
 * Pictures that follow each other at the grid's rate are each shown once, unless their own clock is so
 * uneven that no grid could do that.
 */
function checkPace(chunk: Chunk, places: readonly number[], rate: number): readonly Defect[] {
  const own = places.filter((place) => Math.round(place) >= 0 && Math.round(place) < chunk.frames);
  const steps = own.slice(1).map((place, index) => place - (own[index] ?? 0));
  if (steps.length < FEW) return [];
  const median = [...steps].sort((a, b) => a - b)[steps.length >> 1] ?? 1;
  if (median < NEXT.least && rate / median < MOST * 1.01) {
    const sentence = `${chunk.name} has ${(rate / median).toFixed(2)} pictures a second, and the grid only ${rate.toFixed(2)} frames.`;
    return [{ name: 'lost_pictures', sentence }];
  }
  const regular = own.slice(1).filter((_, index) => {
    const step = steps[index] ?? 0;
    return step > NEXT.least && step < NEXT.most;
  });
  const astray = own.slice(1).filter((place, index) => {
    const step = steps[index] ?? 0;
    const frames = Math.round(place) - Math.round(own[index] ?? 0);
    return step > NEXT.least && step < NEXT.most && frames !== 1;
  }).length;
  if (astray <= 1 + regular.length * LOST_SHARE || arc(regular) > FITTING) return [];
  const sentence = `${astray} of ${regular.length} pictures of ${chunk.name} are lost or doubled on the grid, though they follow each other at its rate.`;
  return [{ name: 'judder', sentence }];
}

/** The shortest arc of a frame's circle that holds all places. */
function arc(places: readonly number[]): number {
  const angles = places.map((place) => place - Math.floor(place)).sort((a, b) => a - b);
  const gaps = angles.map((angle, index) => (angles[index + 1] ?? (angles[0] ?? 0) + 1) - angle);
  return 1 - Math.max(...gaps);
}

/** Levels of 8 bits by which the colours of a frame may change on their way to the encoders. */
const KEPT = { mean: 4, chroma: 4 };

/** Holds what goes to the encoders against the source's colours, where those are only copied. */
export function checkColors(
  { media: { video } }: Plan,
  chunk: Chunk,
  { grid, shown }: PictureReference,
): readonly Defect[] {
  // Transparent ground has hidden colours, and only there the renditions are black.
  if (!video || video.transfer !== 'sdr' || video.alpha) return [];
  const changed = Array.from({ length: chunk.frames }, (_, frame) =>
    difference(copyAt(grid, frame), copyAt(shown, frame)),
  ).filter(
    ({ mean, chroma }) =>
      Math.abs(mean) > KEPT.mean || chroma.some((plane) => Math.abs(plane) > KEPT.chroma),
  );
  const [first] = changed;
  if (!first) return [];
  const levels = [first.mean, ...first.chroma].map((one) => one.toFixed(1)).join(', ');
  const sentence = `${changed.length} of ${chunk.frames} frames of ${chunk.name} have other colours than the source: ${levels} levels apart.`;
  return [{ name: 'wrong_colours', sentence }];
}

/** A rendition's key frame, decoded: its frame within the chunk, and its tiny copy. */
export interface DecodedKey {
  readonly rendition: string;
  readonly frame: number;
  readonly picture: Uint8Array;
}

/** Levels of 8 bits; what coarse encoding does to a tiny copy stays below. */
const LIKE = { luma: 10, mean: 4, chroma: 4 };
/** A neighbour that is so much more like a picture than its own place is what the picture shows. */
const SHIFTED = { least: 2, share: 0.5 };

/** Holds the first key frame of each segment against what the encoders were given. */
export function checkKeys(
  { grid }: Plan,
  chunk: Chunk,
  { keys }: Pick<PictureReference, 'keys'>,
  decoded: readonly DecodedKey[],
): readonly Defect[] {
  const places = new Map(keyFrames(grid, chunk.frames).map((frame, place) => [frame, place]));
  const given = (frame: number) => {
    const place = places.get(frame);
    return place === undefined ? [] : [copyAt(keys, place)];
  };
  return decoded.flatMap(({ rendition, frame, picture }): readonly Defect[] => {
    const where = `The key frame ${frame} of ${rendition}`;
    const near = NEIGHBOURS.flatMap((distance) => given(frame + distance));
    return checkPicture(where, picture, given(frame)[0], near);
  });
}

/** Holds a decoded picture against the one that it is to show, and not one of the others. */
export function checkPicture(
  where: string,
  picture: Uint8Array,
  own: Uint8Array | undefined,
  others: readonly Uint8Array[],
): readonly Defect[] {
  if (picture.length !== TINY.bytes) {
    return [{ name: 'damaged_picture', sentence: `${where} cannot be decoded.` }];
  }
  if (!own) {
    return [{ name: 'wrong_pictures', sentence: `${where} shows nothing that was to be encoded.` }];
  }
  const { luma, mean, chroma } = difference(own, picture);
  const nearest = Math.min(...others.map((other) => difference(other, picture).luma));
  const shifted = luma > SHIFTED.least && nearest < luma * SHIFTED.share;
  if (shifted || luma > LIKE.luma) {
    const sentence = `${where} shows another picture (${luma.toFixed(1)} levels apart).`;
    return [{ name: 'wrong_pictures', sentence }];
  }
  if (Math.abs(mean) > LIKE.mean || Math.max(...chroma.map(Math.abs)) > LIKE.chroma) {
    const levels = [mean, ...chroma].map((one) => one.toFixed(1)).join(', ');
    const sentence = `${where} has other colours: ${levels} levels apart.`;
    return [{ name: 'wrong_colours', sentence }];
  }
  return [];
}

/** The one of some tiny copies that a picture is most like. */
export function mostSimilar(
  picture: Uint8Array,
  copies: readonly Uint8Array[],
): Uint8Array | undefined {
  const ranked = copies.map((copy) => ({ copy, luma: difference(copy, picture).luma }));
  return ranked.sort((a, b) => a.luma - b.luma)[0]?.copy;
}

/** What a decoder finds wrong with our own pictures or sound is a defect, whatever it makes of it. */
export function checkDecoding(
  complaints: string,
  name: 'damaged_segment' | 'damaged_image' = 'damaged_segment',
): readonly Defect[] {
  const [first] = complaints.trim().split('\n');
  return first ? [{ name, sentence: `The decoder says: ${first}` }] : [];
}

/** Levels by which two tiny copies differ: each point of luma, luma as a whole, both planes of chroma as a whole. */
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
