import { imagePath } from '../../core/model/keys.ts';
import type { Marker, StoredFile, Unit, UnitKind } from '../../core/model/units.ts';
import { AUDIO_FRAME_SECONDS, segmentPath } from './formats.ts';
import type { Defect } from './gate/defect.ts';
import { area } from './geometry.ts';
import { chunksOf, frameSeconds, segmentsOf } from './grid.ts';
import type { Grid } from './grid.ts';
import { imageNames } from './plan-images.ts';
import type { AudioTrack, Plan, Rendition } from './plan.ts';

/** Plans the units of a job. The images come first, because they are the quickest to make. */
export function planUnits(
  grid: Grid,
  renditions: readonly Rendition[],
  audio: readonly AudioTrack[],
): readonly Unit[] {
  const chunks = renditions.length > 0 ? chunksOf(grid) : [];
  return [
    { kind: 'images', name: 'images' },
    ...audio.map(({ name }) => ({ kind: 'audio', name, track: name }) as const),
    ...chunks.map((chunk, index) => ({
      kind: 'video' as const,
      name: `video-${String(index).padStart(5, '0')}`,
      ...chunk,
    })),
  ];
}

/** A file of a version, as its unit's marker describes it. */
export interface OutputFile extends StoredFile {
  /** Relative to the version. */
  readonly path: string;
}

/** What planning and the gate need to know about a kind of unit. */
interface UnitRules<Kind extends UnitKind> {
  /** The CPU time that the unit may take on a slow processor, in seconds. */
  cpuSeconds(plan: Plan, unit: Unit<Kind>): number;
  /** The files that a unit made. */
  files(unit: Unit<Kind>, marker: Marker<Kind>): readonly OutputFile[];
  /** Compares a marker with the plan. */
  check(plan: Plan, unit: Unit<Kind>, marker: Marker<Kind>): readonly Defect[];
}

/** About fifty times what x264's `veryfast` takes, which leaves room for slower presets and processors. */
const CPU_SECONDS_PER_PIXEL = 1e-6;

const RULES: { readonly [Kind in UnitKind]: UnitRules<Kind> } = {
  video: {
    cpuSeconds: (plan, { firstFrame, frames }) => {
      const encoded = plan.renditions.reduce((sum, rendition) => sum + area(rendition), 0);
      // If no key frame to seek to is found, the source is decoded from its start.
      return CPU_SECONDS_PER_PIXEL * (firstFrame + frames) * (sourcePixels(plan) + encoded);
    },
    files: ({ firstSegment }, { renditions }) =>
      renditions.flatMap(({ name, segments }) => segmentFiles(name, firstSegment, segments)),
    check: (plan, unit, marker) => {
      const { firstSegment, segments: count } = unit;
      const planned = segmentsOf(plan.grid).slice(firstSegment, firstSegment + count);
      return plan.renditions.flatMap(({ name }) => {
        const segments = marker.renditions.find((one) => one.name === name)?.segments ?? [];
        const where = `${unit.name}, ${name}`;
        const frames = segments.map((segment) => segment.frames).join();
        const wanted = planned.map((range) => range.frames).join();
        return frames === wanted
          ? checkSeconds(plan, where, segments, firstSegment, 0.000_001)
          : [{ name: 'frame_count', sentence: `${where} has frames ${frames}, not ${wanted}.` }];
      });
    },
  },
  audio: {
    cpuSeconds: ({ durationSeconds }) => durationSeconds,
    files: ({ track }, { segments }) => segmentFiles(track, 0, segments),
    check: (plan, { name }, { segments }) =>
      checkSeconds(plan, name, segments, 0, AUDIO_FRAME_SECONDS * 2),
  },
  images: {
    cpuSeconds: (plan) =>
      plan.durationSeconds + CPU_SECONDS_PER_PIXEL * plan.grid.frames * sourcePixels(plan),
    files: (_, { files }) =>
      files.map(({ name, bytes, md5 }) => ({ path: imagePath(name), bytes, md5 })),
    check: ({ images }, _, { files }) => {
      const { poster, thumbnails, sheets, storyboard } = imageNames(images);
      const wanted = [poster, ...thumbnails, ...sheets, ...(storyboard ? [storyboard] : [])];
      return wanted
        .filter((image) => !files.some(({ name, bytes }) => name === image && bytes > 0))
        .map((image) => ({ name: 'missing_object', sentence: `${image} was not made.` }));
    },
  },
};

function rulesOf<Kind extends UnitKind>(kind: Kind): UnitRules<Kind> {
  return RULES[kind];
}

/** The CPU time that a unit may take on a slow processor, in seconds. */
export function unitCpuSeconds(plan: Plan, unit: Unit): number {
  return rulesOf(unit.kind).cpuSeconds(plan, unit);
}

/** The files that a marker lists. */
export function filesOf(plan: Plan, marker: Marker): readonly OutputFile[] {
  const unit = plan.units.find(({ name }) => name === marker.unit);
  return unit?.kind === marker.kind ? rulesOf(unit.kind).files(unit, marker) : [];
}

/** Compares the marker that is stored for the unit `name` with the plan. */
export function checkMarker(plan: Plan, name: string, marker: Marker): readonly Defect[] {
  const unit = plan.units.find((one) => one.name === name);
  if (!unit || marker.unit !== name || unit.kind !== marker.kind) {
    const sentence = `The marker of ${name} belongs to ${marker.unit}.`;
    return [{ name: 'unreadable_marker', sentence }];
  }
  return rulesOf(unit.kind).check(plan, unit, marker);
}

function sourcePixels({ media }: Plan): number {
  return media.video ? area(media.video.display) : 0;
}

function segmentFiles(
  rendition: string,
  first: number,
  segments: readonly StoredFile[],
): readonly OutputFile[] {
  return segments.map(({ bytes, md5 }, index) => ({
    path: segmentPath(rendition, first + index),
    bytes,
    md5,
  }));
}

function checkSeconds(
  { grid }: Plan,
  where: string,
  segments: readonly { readonly durationSeconds: number }[],
  firstSegment: number,
  tolerance: number,
): readonly Defect[] {
  return segments.flatMap(({ durationSeconds }, index): readonly Defect[] => {
    const range = segmentsOf(grid)[firstSegment + index];
    const wanted = range ? frameSeconds(grid, range.frames) : 0;
    if (Math.abs(durationSeconds - wanted) <= tolerance) return [];
    const sentence = `Segment ${firstSegment + index} of ${where} lasts ${durationSeconds} s, not ${wanted}.`;
    return [{ name: 'playlist', sentence }];
  });
}
