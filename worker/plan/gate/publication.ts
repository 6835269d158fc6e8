import { AUDIO_FRAME_SECONDS } from '../encode.ts';
import { frameSeconds, segmentsOf } from '../grid.ts';
import { imageNames } from '../images.ts';
import { imagePath, playlistPath, segmentName, segmentPath } from '../keys.ts';
import type { Marker, StoredFile } from '../marker.ts';
import type { Plan } from '../plan.ts';
import type { Defect } from './defect.ts';

/** A file of a version, by its path within it, as the unit that made it says. */
export interface MadeFile extends StoredFile {
  readonly path: string;
}

/** The files that a unit made. */
export function filesOf(plan: Plan, marker: Marker): readonly MadeFile[] {
  if (marker.kind === 'images') {
    return marker.files.map(({ name, bytes, md5 }) => ({ path: imagePath(name), bytes, md5 }));
  }
  const unit = plan.units.find(({ name }) => name === marker.unit);
  const first = unit?.kind === 'video' ? unit.firstSegment : 0;
  const parts =
    marker.kind === 'video'
      ? marker.renditions
      : [{ name: unit?.kind === 'audio' ? unit.track : '', segments: marker.segments }];
  return parts.flatMap(({ name, segments }) =>
    segments.map(({ bytes, md5 }, index) => ({
      path: segmentPath(name, first + index),
      ...{ bytes, md5 },
    })),
  );
}

/** Holds what the delivery bucket has against what was made. */
export function checkStored(
  made: readonly MadeFile[],
  stored: ReadonlyMap<string, StoredFile>,
): readonly Defect[] {
  return made.flatMap(({ path, bytes, md5 }): readonly Defect[] => {
    const found = stored.get(path);
    if (!found) return [{ name: 'missing_object', sentence: `${path} is not there.` }];
    if (found.bytes === bytes && found.md5 === md5) return [];
    const sentence = `${path} has ${found.bytes} bytes of MD5 ${found.md5}, not ${bytes} of ${md5}.`;
    return [{ name: 'changed_object', sentence }];
  });
}

/** Holds what a unit says that it made against what the plan wants of it. */
export function checkMarker(plan: Plan, name: string, marker: Marker): readonly Defect[] {
  const unit = plan.units.find((one) => one.name === name);
  if (!unit || marker.unit !== name || unit.kind !== marker.kind) {
    const sentence = `The marker of ${name} is that of ${marker.unit}.`;
    return [{ name: 'unreadable_marker', sentence }];
  }
  if (marker.kind === 'images') {
    const { poster, thumbnails, sheets, storyboard } = imageNames(plan.images);
    const wanted = [poster, ...thumbnails, ...sheets, ...(storyboard ? [storyboard] : [])];
    const missing = wanted.filter(
      (image) => !marker.files.some((file) => file.name === image && file.bytes > 0),
    );
    return missing.map((image) => ({ name: 'missing_object', sentence: `${image} was not made.` }));
  }
  if (marker.kind === 'audio') {
    return checkSeconds(plan, marker.unit, marker.segments, 0, AUDIO_FRAME_SECONDS * 2);
  }
  if (unit.kind !== 'video') return [];
  const { grid, renditions } = plan;
  const planned = segmentsOf(grid).slice(unit.firstSegment, unit.firstSegment + unit.segments);
  return renditions.flatMap(({ name }) => {
    const segments = marker.renditions.find((one) => one.name === name)?.segments ?? [];
    const where = `${marker.unit}, ${name}`;
    const frames = segments.map((segment) => segment.frames).join();
    const wanted = planned.map((range) => range.frames).join();
    return frames === wanted
      ? checkSeconds(plan, where, segments, unit.firstSegment, 0.000_001)
      : [{ name: 'frame_count', sentence: `${where} has frames ${frames}, not ${wanted}.` }];
  });
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

/** Reads a rendition's playlist back, as a player does, and holds it against the plan. */
export function checkMediaPlaylist(plan: Plan, name: string, text: string): readonly Defect[] {
  const sound = plan.audio.some((track) => track.name === name);
  const planned = segmentsOf(plan.grid);
  const defects: Defect[] = [];
  const found = (sentence: string) =>
    defects.push({ name: 'playlist', sentence: `${playlistPath(name)} ${sentence}` });
  const lines = text.split('\n');
  const names = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const seconds = [...text.matchAll(/^#EXTINF:([\d.]+),$/gm)].map(([, value]) => Number(value));
  if (names.join() !== planned.map((_, index) => segmentName(index)).join()) {
    found(`does not list the ${planned.length} segments in their order.`);
  }
  if (seconds.length !== planned.length) found('does not say how long each segment is.');
  const tolerance = sound ? AUDIO_FRAME_SECONDS * 2 : 0.000_001;
  planned.forEach(({ frames }, index) => {
    const wanted = frameSeconds(plan.grid, frames);
    if (Math.abs((seconds[index] ?? 0) - wanted) > tolerance) {
      found(`says ${seconds[index] ?? 0} s of segment ${index}, not ${wanted}.`);
    }
  });
  const all = seconds.reduce((sum, one) => sum + one, 0);
  const whole = frameSeconds(plan.grid, plan.grid.frames);
  if (Math.abs(all - whole) > Math.max(tolerance, 0.001)) found(`lasts ${all} s, not ${whole}.`);
  const target = Number(/^#EXT-X-TARGETDURATION:(\d+)$/m.exec(text)?.[1]);
  if (!(target >= Math.max(...seconds.map(Math.round)))) {
    found(`has a target of ${target} s, and a longer segment.`);
  }
  for (const line of ['#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-ENDLIST']) {
    if (lines.filter((one) => one === line).length !== 1) found(`does not say ${line} once.`);
  }
  if (lines[0] !== '#EXTM3U') found('does not begin as a playlist.');
  return defects;
}

/** Reads the multivariant playlist back, and holds it against the plan and what the units measured. */
export function checkMultivariantPlaylist(
  plan: Plan,
  version: string,
  markers: readonly Marker[],
  text: string,
): readonly Defect[] {
  const defects: Defect[] = [];
  const found = (sentence: string) =>
    defects.push({ name: 'playlist', sentence: `The multivariant playlist ${sentence}` });
  const lines = text.split('\n');
  if (lines[0] !== '#EXTM3U') found('does not begin as a playlist.');
  const addresses = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const names = plan.renditions.map(({ name }) => name);
  const wanted = names.length > 0 ? names : plan.audio.slice(0, 1).map(({ name }) => name);
  const expected = wanted.map((name) => `${version}/${playlistPath(name)}`);
  if ([...addresses].sort().join() !== [...expected].sort().join()) {
    found(`lists ${addresses.join(', ')}, not ${expected.join(', ')}.`);
  }
  for (const { name, width, height } of plan.renditions) {
    const address = lines.indexOf(`${version}/${playlistPath(name)}`);
    const tag = lines[address - 1] ?? '';
    const made = markers.flatMap((marker) =>
      marker.kind === 'video' ? marker.renditions.filter((one) => one.name === name) : [],
    );
    const codecs = new Set(made.map((one) => one.codecs));
    if (codecs.size !== 1) found(`cannot name one codec for ${name}: ${[...codecs].join(', ')}.`);
    for (const said of [`RESOLUTION=${width}x${height}`, ...codecs, rateOf(plan)]) {
      if (!tag.includes(said)) found(`does not say ${said} of ${name}.`);
    }
    const segments = made.flatMap((one) => one.segments);
    const seconds = segments.reduce((sum, one) => sum + one.durationSeconds, 0);
    const average = (segments.reduce((sum, one) => sum + one.bytes, 0) * 8) / seconds;
    const peak = Number(/[:,]BANDWIDTH=(\d+)/.exec(tag)?.[1]);
    if (!(peak >= average)) found(`says ${peak} bits/s of ${name}, whose average is ${average}.`);
    if (plan.audio.length > 0 && !tag.includes('AUDIO="audio"'))
      found(`has ${name} without sound.`);
  }
  for (const { name } of plan.audio) {
    if (
      !lines.some(
        (line) =>
          line.startsWith('#EXT-X-MEDIA:') &&
          line.includes(`URI="${version}/${playlistPath(name)}"`),
      )
    ) {
      found(`does not list the sound ${name}.`);
    }
  }
  return defects;
}

function rateOf({ grid: { rate } }: Plan): string {
  return `FRAME-RATE=${(rate.num / rate.den).toFixed(3)}`;
}
