import { audioBorders } from '../encode.ts';
import { AUDIO_CODEC, CONTAINER, VIDEO_CODEC } from '../formats.ts';
import { frameSeconds, segmentsOf } from '../grid.ts';
import type { FrameRange, Grid } from '../grid.ts';
import type { Sequence } from '../codecs/h264.ts';
import type { Rendition, AudioTrack, Plan } from '../plan.ts';
import type { Unit } from '../../../core/model/units.ts';
import { outputColors } from '../picture.ts';
import type { AudioSegment, Picture, VideoSegment } from '../containers/transport-stream.ts';
import type { Defect, DefectName } from './defect.ts';

/** A segment's pictures as they are kept while a chunk is checked: without the pictures themselves. */
export interface ReadVideo extends Omit<VideoSegment, 'pictures'> {
  readonly pictures: readonly (Omit<Picture, 'data'> & { readonly bytes: number })[];
}

export type ReadAudio = Omit<AudioSegment, 'frames'> & { readonly times: readonly number[] };

const { clockRate, offsetSeconds } = CONTAINER;
const { sampleRate, frameSamples } = AUDIO_CODEC;

/** Decode times are rounded by themselves. */
const TICK = 1;

/** The frame of the asset that is shown at that time of the segments' clock. */
export function frameAt({ rate }: Grid, pts: number): number {
  return Math.round(((pts / clockRate - offsetSeconds) * rate.num) / rate.den);
}

/** Holds one rendition's segments of a chunk against the plan: what can be told without decoding. */
export function checkSegments(
  plan: Plan,
  unit: Unit<'video'>,
  rendition: Rendition,
  segments: readonly ReadVideo[],
): readonly Defect[] {
  const planned = segmentsOf(plan.grid).slice(unit.firstSegment, unit.firstSegment + unit.segments);
  const defects: Defect[] = [];
  if (segments.length !== planned.length) {
    defects.push({
      name: 'segment_count',
      sentence: `${rendition.name} has ${segments.length} segments, not ${planned.length}.`,
    });
  }
  const first = segments[0]?.sequence;
  segments.forEach((segment, index) => {
    const range = planned[index];
    if (!range || !first) return;
    const where = `Segment ${unit.firstSegment + index} of ${rendition.name}`;
    const found = (name: DefectName, what: string) =>
      defects.push({ name, sentence: `${where} ${what}` });
    checkPictures(plan, range, segment, found);
    if (JSON.stringify(segment.sequence) !== JSON.stringify(first)) {
      found('picture_form', 'has another form than the first one of its chunk.');
    }
    checkForm(plan, rendition, segment.sequence, found);
  });
  const decoded = segments.flatMap(({ pictures }) => pictures.map(({ dts }) => dts));
  if (decoded.some((dts, index) => dts <= (decoded[index - 1] ?? -Infinity))) {
    defects.push({
      name: 'timestamps',
      sentence: `The decode times of ${rendition.name} do not rise.`,
    });
  }
  return [...defects, ...checkRate(plan, rendition, segments)];
}

type Found = (name: DefectName, what: string) => void;

function checkPictures(
  { grid }: Plan,
  { firstFrame, frames }: FrameRange,
  { pictures, sequence }: ReadVideo,
  found: Found,
): void {
  if (pictures.length !== frames)
    found('frame_count', `has ${pictures.length} frames, not ${frames}.`);
  const shown = [...pictures].sort((a, b) => a.pts - b.pts);
  const time = (frame: number) =>
    Math.round((offsetSeconds + frameSeconds(grid, firstFrame + frame)) * clockRate);
  const astray = shown.findIndex(({ pts }, frame) => Math.abs(pts - time(frame)) > TICK);
  if (astray >= 0) {
    found(
      'timestamps',
      `shows frame ${astray} at ${shown[astray]?.pts ?? 0}, not ${time(astray)}.`,
    );
  }
  if (pictures.some(({ pts, dts }) => dts > pts + TICK)) {
    found('timestamps', 'shows a picture before it is decoded.');
  }
  if (!pictures[0]?.key) found('key_frames', 'does not begin with a key frame.');
  const isPlanned = (frame: number) => frame % grid.gopFrames === 0;
  const odd = shown.findIndex(({ key }, frame) => key !== isPlanned(frame));
  if (odd >= 0) {
    found('key_frames', `has ${isPlanned(odd) ? 'no' : 'a'} key frame at frame ${odd}.`);
  }
  checkOrder(pictures, shown, sequence, found);
}

/** What the pictures themselves say of their order, beside their times: none is missing, double or swapped. */
function checkOrder(
  pictures: ReadVideo['pictures'],
  shown: ReadVideo['pictures'],
  { frameNumberBits, orderBits }: Sequence,
  found: Found,
): void {
  const place = new Map(shown.map((picture, index) => [picture, index]));
  let key = 0;
  let frameNumber = 0;
  for (const picture of pictures) {
    const at = place.get(picture) ?? 0;
    if (picture.key) {
      key = at;
      frameNumber = 0;
    }
    const order = orderBits === undefined ? undefined : ((at - key) * 2) % 2 ** orderBits;
    if (
      picture.frameNumber !== frameNumber % 2 ** frameNumberBits ||
      (order !== undefined && order < 0) ||
      picture.order !== order
    ) {
      found('picture_order', `has frame ${at} in the place of another.`);
      return;
    }
    if (picture.reference) frameNumber += 1;
  }
}

function checkForm(
  { media }: Plan,
  { width, height }: Rendition,
  { codecs, size, sampleAspect, colors }: Sequence,
  found: Found,
): void {
  if (size.width !== width || size.height !== height) {
    found('picture_form', `is ${size.width}x${size.height}, not ${width}x${height}.`);
  }
  if (!VIDEO_CODEC.codecs.test(codecs)) {
    found('picture_form', `is ${codecs}, which is not what players are promised.`);
  }
  if (sampleAspect?.join(':') !== '1:1') {
    found('picture_form', `has pixels of ${sampleAspect?.join(':') ?? 'no said form'}, not 1:1.`);
  }
  if (!colors || !media.video) {
    found('colour_tags', 'does not name its colours.');
    return;
  }
  if (colors.fullRange) found('colour_tags', 'says that it is of full range.');
  for (const [name, code] of Object.entries(outputColors(media.video))) {
    const own = colors[name as keyof typeof colors];
    if (own === UNSPECIFIED || (code !== undefined && own !== code)) {
      found('colour_tags', `says ${String(own)} of its ${name}, not ${code ?? 'what it is'}.`);
    }
  }
}

/** H.273: nothing is said. */
const UNSPECIFIED = 2;

/** The decoder's buffer of the plan's rate: pictures fill it, time empties it, and it never overflows. */
function checkRate(
  { grid }: Plan,
  { name, maxBitRate, bufferBits }: Rendition,
  segments: readonly ReadVideo[],
): readonly Defect[] {
  const drained = (maxBitRate * grid.rate.den) / grid.rate.num;
  let level = 0;
  let most = 0;
  for (const { bytes } of segments.flatMap(({ pictures }) => pictures)) {
    level += bytes * 8;
    most = Math.max(most, level);
    level = Math.max(0, level - drained);
  }
  if (most <= bufferBits * (1 + VIDEO_CODEC.rateTolerance)) return [];
  const sentence = `${name} needs a buffer of ${most} bits at ${maxBitRate} bits/s, not ${bufferBits}.`;
  return [{ name: 'bit_rate', sentence }];
}

/** Holds the segments of a sound track against the plan. */
export function checkTrack(
  plan: Plan,
  track: AudioTrack,
  segments: readonly ReadAudio[],
): readonly Defect[] {
  const defects: Defect[] = [];
  const { borders, frames } = audioBorders(plan);
  const starts = [0, ...borders];
  if (segments.length !== starts.length) {
    defects.push({
      name: 'segment_count',
      sentence: `${track.name} has ${segments.length} segments, not ${starts.length}.`,
    });
  }
  segments.forEach(({ channels, times, ...form }, index) => {
    const where = `Segment ${index} of ${track.name}`;
    const start = starts[index] ?? 0;
    const count = (starts[index + 1] ?? frames) - start;
    if (times.length !== count) {
      const sentence = `${where} has ${times.length} frames of sound, not ${count}.`;
      defects.push({ name: 'sound_length', sentence });
    }
    // The first frame is the encoder's run-in, before time zero.
    const time = (frame: number) =>
      offsetSeconds * clockRate + ((start + frame - 1) * frameSamples * clockRate) / sampleRate;
    const astray = times.findIndex((pts, frame) => Math.abs(pts - time(frame)) > TICK);
    if (astray >= 0) {
      const sentence = `${where} has frame ${astray} at ${times[astray] ?? 0}, not ${time(astray)}.`;
      defects.push({ name: 'timestamps', sentence });
    }
    if (
      form.codecs !== AUDIO_CODEC.codecs ||
      form.sampleRate !== sampleRate ||
      channels !== track.channels
    ) {
      const sentence = `${where} is ${form.codecs} of ${form.sampleRate} Hz with ${channels} channels.`;
      defects.push({ name: 'sound_form', sentence });
    }
  });
  return defects;
}
