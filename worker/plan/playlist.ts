import { imagePath, playlistPath } from '../../core/model/keys.ts';
import { SESSION_DATA, sessionDataTag } from '../../core/model/session-data.ts';
import type { Marker, SegmentFacts } from '../../core/model/units.ts';
import { segmentName } from './formats.ts';
import { frameSeconds, segmentsOf } from './grid.ts';
import { imageNames } from './plan-images.ts';
import type { Plan } from './plan.ts';

/** The measurements of a rendition or a sound track. */
export interface MeasuredRendition {
  readonly name: string;
  readonly codecs: string;
  readonly segments: readonly SegmentFacts[];
  readonly bitRate: BitRate;
}

/** Bits/s of the segments, container included. */
export interface BitRate {
  readonly peak: number;
  readonly average: number;
}

export interface Measured {
  readonly video: readonly MeasuredRendition[];
  readonly audio: readonly MeasuredRendition[];
}

/**
 * Players start with the first variant of the playlist. Apple's authoring rules recommend 2,000 kbit/s for it (1.32).
 */
const FIRST_VARIANT = 2_000_000;

/** Collects the measurements of all units in the plan's order. Throws Error if a marker is missing or does not fit. */
export function measure(plan: Plan, markers: readonly Marker[]): Measured {
  const byUnit = new Map(markers.map((marker) => [marker.unit, marker]));
  const find = <Kind extends Marker['kind']>(unit: string, kind: Kind) => {
    const marker = byUnit.get(unit);
    if (marker?.kind !== kind) throw new Error(`Unit ${unit} of job ${plan.jobId} has no marker.`);
    return marker as Extract<Marker, { kind: Kind }>;
  };
  const target = targetSeconds(plan);
  const chunks = plan.units
    .filter((unit) => unit.kind === 'video')
    .map((unit): Marker<'video'> => find(unit.name, 'video'));
  const video = plan.renditions.map(({ name }) => {
    const parts = chunks.map((chunk) => {
      const part = chunk.renditions.find((rendition) => rendition.name === name);
      if (!part) throw new Error(`Unit ${chunk.unit} of job ${plan.jobId} has not made ${name}.`);
      return part;
    });
    return measured(
      plan,
      name,
      parts[0]?.codecs ?? '',
      parts.flatMap(({ segments }) => segments),
      target,
    );
  });
  const audio = plan.audio.map(({ name }) => {
    const marker: Marker<'audio'> = find(name, 'audio');
    return measured(plan, name, marker.codecs, marker.segments, target);
  });
  return { video, audio };
}

/** The media playlist of one rendition (RFC 8216). */
export function mediaPlaylist(plan: Plan, segments: readonly SegmentFacts[]): string {
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${targetSeconds(plan)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    ...segments.flatMap(({ durationSeconds }, index) => [
      `#EXTINF:${durationSeconds.toFixed(6)},`,
      segmentName(index),
    ]),
    '#EXT-X-ENDLIST',
    '',
  ].join('\n');
}

/**
 * The multivariant playlist, with measured bit rates. It is stored next to the versions, so its URIs begin with the
 * version. The variant that is closest to 2,000 kbit/s comes first.
 */
export function multivariantPlaylist(
  plan: Plan,
  version: string,
  { video, audio }: Measured,
): string {
  const tracks = plan.audio.map((track) => {
    const attributes = [
      'TYPE=AUDIO,GROUP-ID="audio"',
      `NAME="${track.label}"`,
      `LANGUAGE="${track.language}"`,
      `DEFAULT=${track.default ? 'YES' : 'NO'},AUTOSELECT=YES`,
      `CHANNELS="${track.channels}"`,
      `URI="${version}/${playlistPath(track.name)}"`,
    ];
    return `#EXT-X-MEDIA:${attributes.join(',')}`;
  });
  const sound = maxBitRate(audio);
  const group = audio.length > 0 ? ',AUDIO="audio"' : '';
  const variants = plan.renditions.map(({ name, width, height }, index) => {
    const rendition = required(video[index], name);
    const average = rendition.bitRate.average + sound.average;
    const codecs = [rendition.codecs, ...new Set(audio.map((track) => track.codecs))].join(',');
    const attributes = [
      ...rates(rendition.bitRate.peak + sound.peak, average),
      `CODECS="${codecs}",RESOLUTION=${width}x${height}`,
      `FRAME-RATE=${(plan.grid.rate.num / plan.grid.rate.den).toFixed(3)}${group}`,
    ];
    return { average, lines: streamInf(attributes, version, name) };
  });
  const first = [...variants].sort((a, b) => distance(a.average) - distance(b.average))[0];
  const ordered = [...(first ? [first] : []), ...variants.filter((variant) => variant !== first)];
  // In an audio-only asset, the default track is both a variant and a member of the group.
  const audioOnly =
    variants.length > 0
      ? []
      : audio
          .slice(0, 1)
          .flatMap(({ name, codecs, bitRate }) =>
            streamInf(
              [...rates(bitRate.peak, bitRate.average), `CODECS="${codecs}"${group}`],
              version,
              name,
            ),
          );
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...sessionData(plan, version),
    ...tracks,
    ...ordered.flatMap(({ lines }) => lines),
    ...audioOnly,
    '',
  ].join('\n');
}

/**
 * The average bit rate, and the peak: the largest rate of consecutive segments that last 0.5 to 1.5 times the target
 * duration together (draft-pantos-hls-rfc8216bis, 4.4.6.2).
 */
export function measureBitRate(
  segments: readonly Pick<SegmentFacts, 'bytes' | 'durationSeconds'>[],
  target: number,
): BitRate {
  const sum = (part: typeof segments) => {
    const seconds = part.reduce((total, one) => total + one.durationSeconds, 0);
    const bits = part.reduce((total, one) => total + one.bytes * 8, 0);
    return { seconds, rate: seconds > 0 ? bits / seconds : 0 };
  };
  const average = sum(segments).rate;
  let peak = 0;
  segments.forEach((_, from) => {
    for (let to = from + 1; to <= segments.length; to += 1) {
      const { seconds, rate } = sum(segments.slice(from, to));
      if (seconds > target * 1.5) break;
      if (seconds >= target * 0.5) peak = Math.max(peak, rate);
    }
  });
  return { peak: Math.ceil(Math.max(peak, average)), average: Math.ceil(average) };
}

/**
 * The target duration of all playlists: the longest segment, rounded. A segment of sound can be an AAC frame longer.
 */
function targetSeconds({ grid }: Plan): number {
  const longest = Math.max(...segmentsOf(grid).map(({ frames }) => frameSeconds(grid, frames)));
  return Math.max(1, Math.round(longest + 0.03));
}

function measured(
  plan: Plan,
  name: string,
  codecs: string,
  segments: readonly SegmentFacts[],
  target: number,
): MeasuredRendition {
  const expected = segmentsOf(plan.grid).length;
  if (segments.length !== expected) {
    throw new Error(
      `${name} of job ${plan.jobId} has ${segments.length} segments, not ${expected}.`,
    );
  }
  return { name, codecs, segments, bitRate: measureBitRate(segments, target) };
}

/** Players get only the address of this playlist, so it also names the title, the poster and the storyboard. */
function sessionData({ title, images }: Plan, version: string): readonly string[] {
  const image = (name: string) => `${version}/${imagePath(name)}`;
  const { poster, storyboard } = imageNames(images);
  return [
    sessionDataTag(SESSION_DATA.title, title),
    sessionDataTag(SESSION_DATA.poster, image(poster)),
    ...(storyboard ? [sessionDataTag(SESSION_DATA.storyboard, image(storyboard))] : []),
  ];
}

function maxBitRate(audio: readonly MeasuredRendition[]): BitRate {
  return {
    peak: Math.max(0, ...audio.map(({ bitRate }) => bitRate.peak)),
    average: Math.max(0, ...audio.map(({ bitRate }) => bitRate.average)),
  };
}

function rates(peak: number, average: number): readonly string[] {
  return [`BANDWIDTH=${peak}`, `AVERAGE-BANDWIDTH=${average}`];
}

function streamInf(
  attributes: readonly string[],
  version: string,
  name: string,
): readonly string[] {
  return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, `${version}/${playlistPath(name)}`];
}

function distance(bitRate: number): number {
  return Math.abs(Math.log(bitRate / FIRST_VARIANT));
}

function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`There are no measurements of ${name}.`);
  return value;
}
