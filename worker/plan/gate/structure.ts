import type { Unit } from '../../../core/model/units.ts';
import type { Sequence } from '../codecs/h264.ts';
import type { AudioSegment, Picture, VideoSegment } from '../containers/transport-stream.ts';
import { audioBorders } from '../encode.ts';
import { AUDIO_CODEC, CONTAINER, VIDEO_CODEC } from '../formats.ts';
import { frameSeconds, segmentsOf } from '../grid.ts';
import type { FrameRange, Grid } from '../grid.ts';
import { outputColors } from '../picture.ts';
import type { Rendition, AudioTrack, Plan } from '../plan.ts';
import type { Defect, DefectName } from './defect.ts';

/** A parsed segment without the data of its pictures, which would take too much memory for a whole chunk. */
export interface ReadVideo extends Omit<VideoSegment, 'pictures'> {
  readonly pictures: readonly (Omit<Picture, 'data'> & { readonly bytes: number })[];
}

export type ReadAudio = Omit<AudioSegment, 'frames'> & { readonly times: readonly number[] };

const { clockRate, offsetSeconds } = CONTAINER;
const { sampleRate, frameSamples } = AUDIO_CODEC;

/** The tolerance of timestamps: each one is rounded to a whole tick. */
const TICK = 1;

/** The frame of the asset with that timestamp. */
export function frameAt({ rate }: Grid, pts: number): number {
  return Math.round(((pts / clockRate - offsetSeconds) * rate.num) / rate.den);
}

/** Compares one rendition's segments of a chunk with the plan, without decoding them. */
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
    const report = (name: DefectName, what: string) =>
      defects.push({ name, sentence: `${where} ${what}` });
    checkPictures(plan, range, segment, report);
    if (JSON.stringify(segment.sequence) !== JSON.stringify(first)) {
      report('picture_form', 'has other sequence parameters than the first one of its chunk.');
    }
    checkForm(plan, rendition, segment.sequence, report);
  });
  const decoded = segments.flatMap(({ pictures }) => pictures.map(({ dts }) => dts));
  if (decoded.some((dts, index) => dts <= (decoded[index - 1] ?? -Infinity))) {
    defects.push({
      name: 'timestamps',
      sentence: `The decoding times of ${rendition.name} do not increase.`,
    });
  }
  return [...defects, ...checkRate(plan, rendition, segments)];
}

type Report = (name: DefectName, what: string) => void;

function checkPictures(
  { grid }: Plan,
  { firstFrame, frames }: FrameRange,
  { pictures, sequence }: ReadVideo,
  report: Report,
): void {
  if (pictures.length !== frames)
    report('frame_count', `has ${pictures.length} frames, not ${frames}.`);
  const shown = [...pictures].sort((a, b) => a.pts - b.pts);
  const time = (frame: number) =>
    Math.round((offsetSeconds + frameSeconds(grid, firstFrame + frame)) * clockRate);
  const wrong = shown.findIndex(({ pts }, frame) => Math.abs(pts - time(frame)) > TICK);
  if (wrong >= 0) {
    report('timestamps', `shows frame ${wrong} at ${shown[wrong]?.pts ?? 0}, not ${time(wrong)}.`);
  }
  if (pictures.some(({ pts, dts }) => dts > pts + TICK)) {
    report('timestamps', 'shows a picture before it is decoded.');
  }
  if (!pictures[0]?.key) report('key_frames', 'does not begin with a key frame.');
  const isPlanned = (frame: number) => frame % grid.gopFrames === 0;
  const differing = shown.findIndex(({ key }, frame) => key !== isPlanned(frame));
  if (differing >= 0) {
    report('key_frames', `has ${isPlanned(differing) ? 'no' : 'a'} key frame at ${differing}.`);
  }
  checkOrder(pictures, shown, sequence, report);
}

/** Compares the order in the slice headers with the timestamps: no picture is missing, repeated or swapped. */
function checkOrder(
  pictures: ReadVideo['pictures'],
  shown: ReadVideo['pictures'],
  { frameNumberBits, orderBits }: Sequence,
  report: Report,
): void {
  const indexes = new Map(shown.map((picture, index) => [picture, index]));
  let key = 0;
  let frameNumber = 0;
  for (const picture of pictures) {
    const at = indexes.get(picture) ?? 0;
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
      report('picture_order', `has another frame in place of frame ${at}.`);
      return;
    }
    if (picture.reference) frameNumber += 1;
  }
}

function checkForm(
  { media }: Plan,
  { width, height }: Rendition,
  { codecs, size, sampleAspect, colors }: Sequence,
  report: Report,
): void {
  if (size.width !== width || size.height !== height) {
    report('picture_form', `is ${size.width}x${size.height}, not ${width}x${height}.`);
  }
  if (!VIDEO_CODEC.codecs.test(codecs)) {
    report('picture_form', `is ${codecs}, which the video codec does not produce.`);
  }
  if (sampleAspect?.join(':') !== '1:1') {
    report(
      'picture_form',
      `has a pixel aspect of ${sampleAspect?.join(':') ?? 'nothing'}, not 1:1.`,
    );
  }
  if (!colors || !media.video) {
    report('colour_tags', 'has no colour description.');
    return;
  }
  if (colors.fullRange) report('colour_tags', 'is tagged as full range.');
  for (const [name, code] of Object.entries(outputColors(media.video))) {
    const actual = colors[name as keyof typeof colors];
    if (actual === UNSPECIFIED || (code !== undefined && actual !== code)) {
      report('colour_tags', `has ${name} ${String(actual)}, not ${code ?? 'a specified one'}.`);
    }
  }
}

/** ITU-T H.273. */
const UNSPECIFIED = 2;

/** Simulates a buffer that each picture fills and that drains at the plan's bit rate. It must not overflow. */
function checkRate(
  { grid }: Plan,
  { name, maxBitRate, bufferBits }: Rendition,
  segments: readonly ReadVideo[],
): readonly Defect[] {
  const drained = (maxBitRate * grid.rate.den) / grid.rate.num;
  let level = 0;
  let peak = 0;
  for (const { bytes } of segments.flatMap(({ pictures }) => pictures)) {
    level += bytes * 8;
    peak = Math.max(peak, level);
    level = Math.max(0, level - drained);
  }
  if (peak <= bufferBits * (1 + VIDEO_CODEC.rateTolerance)) return [];
  const sentence = `${name} needs a buffer of ${peak} bits at ${maxBitRate} bits/s, not ${bufferBits}.`;
  return [{ name: 'bit_rate', sentence }];
}

/** Compares the segments of a sound track with the plan. */
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
      const sentence = `${where} has ${times.length} audio frames, not ${count}.`;
      defects.push({ name: 'sound_length', sentence });
    }
    // The first frame is priming, before time zero.
    const time = (frame: number) =>
      offsetSeconds * clockRate + ((start + frame - 1) * frameSamples * clockRate) / sampleRate;
    const wrong = times.findIndex((pts, frame) => Math.abs(pts - time(frame)) > TICK);
    if (wrong >= 0) {
      const sentence = `${where} has frame ${wrong} at ${times[wrong] ?? 0}, not ${time(wrong)}.`;
      defects.push({ name: 'timestamps', sentence });
    }
    if (
      form.codecs !== AUDIO_CODEC.codecs ||
      form.sampleRate !== sampleRate ||
      channels !== track.channels
    ) {
      const sentence = `${where} is ${form.codecs} at ${form.sampleRate} Hz with ${channels} channels.`;
      defects.push({ name: 'sound_form', sentence });
    }
  });
  return defects;
}
