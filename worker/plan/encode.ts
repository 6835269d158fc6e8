import { colorFilters, decoderOptions, frameFilters, scaleFilter } from './picture.ts';
import {
  KEY_FILTER,
  selectKeys,
  TINY_FILTER,
  trimSource,
  referenceOutputs,
} from './gate/reference.ts';
import { ENCODED_LEVELS, levelsFilter, sourceLevels } from './gate/sound.ts';
import { AUDIO_CODEC, CONTAINER, segmentPattern, VIDEO_CODEC } from './formats.ts';
import { frameSeconds, segmentsOf } from './grid.ts';
import type { AudioTrack, Plan } from './plan.ts';
import type { Unit } from '../../core/model/units.ts';
import { DEMUXERS } from './demuxers.ts';
import type { Opening } from './media.ts';

const { sampleRate, frameSamples } = AUDIO_CODEC;

/** Where a unit's source and its scratch folder are. */
export interface Place {
  /** A path, or an address on loopback. */
  readonly address: string;
  /** Skips to the key frame before that time of the container's clock. */
  readonly seekSeconds?: number | undefined;
  readonly directory: string;
}

/**
 * A deep probe: a minute (in microseconds) or 50 MB. By default, ffmpeg analyses 5 s or 5 MB, and leaves out streams
 * that it has not identified by then. https://ffmpeg.org/ffmpeg-formats.html#Format-Options
 */
const DEEP_PROBE_OPTIONS: readonly string[] = [
  '-analyzeduration',
  '60000000',
  '-probesize',
  '50000000',
];

/** ffmpeg's arguments that come before `-i`: nothing but media, and nothing that the file itself names, is opened. */
export function inputOptions(
  { address, seekSeconds }: Omit<Place, 'directory'>,
  { late: deepProbe, ignoreEdits }: Opening,
): readonly string[] {
  const isServed = address.startsWith('http:');
  return [
    ...['-protocol_whitelist', isServed ? 'http,tcp' : 'file'],
    ...['-format_whitelist', DEMUXERS.join(',')],
    ...(deepProbe ? DEEP_PROBE_OPTIONS : []),
    ...(ignoreEdits ? ['-ignore_editlist', '1'] : []),
    // The frames before the wanted one are decoded too: a frame can be shown longer than a gap to it.
    ...(seekSeconds === undefined
      ? []
      : ['-noaccurate_seek', '-seek_timestamp', '1', '-ss', seekSeconds.toFixed(6)]),
    ...['-i', isServed ? address : `file:${address}`],
  ];
}

/**
 * What every run of ffmpeg has in common: it never asks, says what went wrong and how grave it is,
 * and tells of its progress in a form that is meant to be read.
 */
export const GENERAL_OPTIONS: readonly string[] = [
  ...['-nostdin', '-hide_banner', '-loglevel', 'level+warning'],
  ...['-progress', 'pipe:1', '-nostats', '-y'],
  // Timestamps stay the container's own, so that all chunks share one clock.
  '-copyts',
];

/** Nothing decoded is a failure, though ffmpeg by itself would call it a success. */
const ABORT_WHEN_EMPTY: readonly string[] = ['-abort_on', 'empty_output_stream'];

/** A picture that changes its size would begin new filters, and with them the timeline anew. */
export const KEEP_FILTERS: readonly string[] = ['-reinit_filter', '0'];

/**
 * The run that encodes one chunk: one decode, put on the grid, feeds the encoders of all renditions.
 * Segments are cut at the plan's frames, and named by their number in the whole asset. Beside them it
 * writes what the gate holds against the plan.
 */
export function videoCommand(plan: Plan, unit: Unit<'video'>, place: Place): readonly string[] {
  const { media, grid, renditions } = plan;
  const { video } = media;
  if (!video) throw new Error(`${unit.name} of job ${plan.jobId} has no picture to encode.`);
  const rate = `${grid.rate.num}/${grid.rate.den}`;
  const frames = [
    // The grid is absolute: its frame n is shown at n / rate, wherever the decoder began. A last picture
    // without a duration is shown, too.
    `fps=fps=${rate}:round=near:eof_action=pass`,
    // A picture that ends before the sound stands still to the end,
    'tpad=stop=-1:stop_mode=clone',
    // and one that begins after it shows its first frame until then.
    `fps=fps=${rate}:round=near:start_time=${frameSeconds(grid, unit.firstFrame).toFixed(6)}`,
    `trim=end_frame=${unit.frames}`,
  ];
  const scaled = renditions.map((_, index) => `[s${index}]`).join('');
  const graph = [
    `[0:${video.index}]${[...frameFilters(video), 'split'].join(',')}[decoded][frames]`,
    `[decoded]${trimSource(grid, unit)},${TINY_FILTER}[source]`,
    `[frames]${frames.join(',')},split[framed][colors]`,
    `[framed]${TINY_FILTER}[grid]`,
    `[colors]${[...colorFilters(video), `split=${renditions.length + 1}`].join(',')}${scaled}[ready]`,
    `[ready]split[copied][kept]`,
    `[copied]${TINY_FILTER}[shown]`,
    `[kept]${selectKeys(grid)},${KEY_FILTER}[keys]`,
    ...renditions.map((rendition, index) => `[s${index}]${scaleFilter(rendition)}[v${index}]`),
  ].join(';');
  return [
    ...GENERAL_OPTIONS,
    ...ABORT_WHEN_EMPTY,
    // A new set of filters for a picture that changes its size midway would begin the grid anew; the
    // ones at hand only scale.
    ...KEEP_FILTERS,
    ...decoderOptions(video),
    ...timeZero(plan),
    ...inputOptions(place, media.opening),
    ...['-filter_complex', graph],
    ...renditions.flatMap((rendition, index) => [
      ...['-map', `[v${index}]`, ...VIDEO_CODEC.encoder(plan, rendition)],
      ...['-fps_mode', 'passthrough', '-map_metadata', '-1', '-fflags', '+bitexact'],
      ...CONTAINER.muxer(videoBorders(plan, unit), unit.firstSegment),
      segmentPattern(place.directory, rendition.name),
    ]),
    ...referenceOutputs(place.directory),
  ];
}

/** Decodes key frames that follow each other, whatever their sizes, to tiny copies. */
export const KEYS_COMMAND: readonly string[] = [
  ...['-hide_banner', '-loglevel', 'error', '-threads', '1'],
  ...['-f', VIDEO_CODEC.format, '-i', 'pipe:0'],
  ...['-vf', KEY_FILTER],
  ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
];

/** The run that encodes one sound track from start to end: encoded in pieces, AAC would click at each join. */
export function audioCommand(plan: Plan, track: AudioTrack, place: Place): readonly string[] {
  const { media } = plan;
  return [
    ...GENERAL_OPTIONS,
    ...ABORT_WHEN_EMPTY,
    // Sound that changes its form midway is refused: new filters would begin the timeline anew.
    ...KEEP_FILTERS,
    ...timeZero(plan),
    ...inputOptions(place, media.opening),
    ...['-filter_complex', soundGraph(plan, track, place)],
    // Filters that end in no output make ffmpeg 7 fail an assertion where the source ends.
    ...[...track.streams.map((_, stream) => heard(stream)), '[encoded]'].flatMap((levels) => [
      ...['-map', levels, '-f', 'null', '-'],
    ]),
    ...['-map', '[sum]', ...AUDIO_CODEC.encoder(track)],
    ...['-map_metadata', '-1', '-fflags', '+bitexact'],
    ...CONTAINER.muxer(audioBorders(plan).borders, 0),
    segmentPattern(place.directory, track.name),
  ];
}

/** The output of the levels of the track's stream at that place. */
function heard(place: number): string {
  return `[heard${place}]`;
}

type TrackStream = AudioTrack['streams'][number];

/**
 * From the streams of one sound to what is encoded. Beside it the levels are written that the gate
 * holds against each other: of each stream, and of what goes to the encoder.
 */
function soundGraph(plan: Plan, track: AudioTrack, { directory }: Place): string {
  const output = [
    // Channels that are loud together exceed full scale for a moment.
    ...(loudest(track) > 1 ? ['alimiter=limit=1:level=0:latency=1'] : []),
    `aformat=sample_fmts=fltp:channel_layouts=${track.channels === 1 ? 'mono' : 'stereo'}`,
    'apad',
    `atrim=end_sample=${audioSamples(plan)}`,
    'asplit[made]',
  ];
  const levels = (name: string) => levelsFilter(`file:${directory}/${name}`);
  const graph = sum(track, output, (place) => `${levels(sourceLevels(place))}${heard(place)}`);
  return `${graph};[made]${levels(ENCODED_LEVELS)}[encoded]`;
}

/** Silence where the sound begins late or has gaps, so that it stays with the picture. */
const FROM_ZERO = `aresample=${sampleRate}:async=1:min_hard_comp=0.1:first_pts=0`;

/** A stream as stereo where the plan says how. */
function mixed({ gains }: TrackStream): readonly string[] {
  if (!gains) return [];
  const pan = `pan=stereo|c0=${mix(gains.left)}|c1=${mix(gains.right)}`;
  // Only floating point holds more than full scale.
  return ['aformat=sample_fmts=fltp', pan];
}

/** A side of the pan filter: https://ffmpeg.org/ffmpeg-filters.html#pan */
function mix(gains: readonly number[]): string {
  const terms = gains.map((gain, channel) => (gain === 1 ? `c${channel}` : `${gain}*c${channel}`));
  return terms.filter((_, channel) => gains[channel] !== 0).join('+') || '0*c0';
}

/**
 * The graph of the streams of one sound together; each goes on in silence when it ends before the others.
 * `watch` looks at the stream of each place, as it comes.
 */
export function sum(
  { streams }: AudioTrack,
  output: readonly string[],
  watch?: (place: number) => string,
): string {
  const begun = streams.map((stream, place) => {
    const from = `[0:${stream.index}]`;
    if (!watch) return `${from}${[...mixed(stream), FROM_ZERO].join(',')}`;
    const parts = [...mixed(stream), `asplit[s${place}][m${place}]`].join(',');
    return `${from}${parts};[s${place}]${watch(place)};[m${place}]${FROM_ZERO}`;
  });
  const [alone, ...others] = begun;
  if (others.length === 0) return `${[alone, ...output].join(',')}[sum]`;
  const names = streams.map((_, place) => `[a${place}]`);
  return [
    ...begun.map((start, place) => `${start},apad${names[place]}`),
    `${names.join('')}amix=inputs=${streams.length}:normalize=0,${output.join(',')}[sum]`,
  ].join(';');
}

/** How loud one side is when all channels are at full scale. */
function loudest({ streams }: AudioTrack): number {
  const side = (name: 'left' | 'right') =>
    streams
      .flatMap(({ gains }) => gains?.[name] ?? [])
      .reduce((total, gain) => total + Math.abs(gain), 0);
  return Math.max(side('left'), side('right'));
}

/** Decodes the frames of a track's segments, which begin with the encoder's run-in, and tells of their levels. */
export const LEVELS_COMMAND: readonly string[] = [
  ...['-hide_banner', '-loglevel', 'error', '-f', AUDIO_CODEC.format, '-i', 'pipe:0'],
  ...['-af', `atrim=start_sample=${frameSamples},asetpts=N/SR/TB,${levelsFilter('pipe:1')}`],
  ...['-f', 'null', '-'],
];

/**
 * Moves the plan's origin to zero. At the demuxer rather than in a filter, as ffmpeg 5.1's setpts
 * leaves the end of the stream where it was, and the last frames of some sources go missing.
 */
export function timeZero({ media: { demuxer }, originSeconds }: Plan): readonly string[] {
  const offset = (DISCONTINUOUS.test(demuxer) ? 1e-6 : 0) - originSeconds;
  return offset === 0 ? [] : ['-itsoffset', offset.toFixed(6)];
}

/**
 * Containers (AVFMT_TS_DISCONT) whose start ffmpeg takes for that of the one stream it reads, when the
 * offset is exactly the container's start: sound that begins after the picture would move to it.
 */
const DISCONTINUOUS = /^(mpeg|mpegts|ogg)$/;

/** The frames, counted within the chunk, that begin its second, third … segment. */
function videoBorders({ grid }: Plan, unit: Unit<'video'>): readonly number[] {
  return Array.from({ length: unit.segments - 1 }, (_, index) => (index + 1) * grid.segmentFrames);
}

/**
 * The frames of sound that begin the second, third … segment: the first not before the picture's border,
 * and at least one left for a last segment that is shorter than a frame of sound; and how many frames there
 * are in all. The encoder's first frame is its run-in, and lies before time zero.
 */
export function audioBorders(plan: Plan): {
  readonly borders: readonly number[];
  readonly frames: number;
} {
  const { grid } = plan;
  const last = Math.ceil(audioSamples(plan) / frameSamples);
  const borders = segmentsOf(grid)
    .slice(1)
    .map(({ firstFrame }) => {
      const samples = (firstFrame * grid.rate.den * sampleRate) / grid.rate.num;
      return Math.min(last, Math.ceil(samples / frameSamples) + 1);
    });
  return { borders, frames: last + 1 };
}

function audioSamples({ grid }: Plan): number {
  return Math.round((grid.frames * grid.rate.den * sampleRate) / grid.rate.num);
}
