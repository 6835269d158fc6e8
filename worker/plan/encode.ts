import type { Unit } from '../../core/model/units.ts';
import { DEMUXERS } from './demuxers.ts';
import { AUDIO_CODEC, CONTAINER, segmentPattern, VIDEO_CODEC } from './formats.ts';
import {
  KEY_FILTER,
  selectKeys,
  TINY_FILTER,
  trimSource,
  referenceOutputs,
} from './gate/reference.ts';
import { ENCODED_LEVELS, levelsFilter, sourceLevels } from './gate/sound.ts';
import { frameSeconds, segmentsOf } from './grid.ts';
import type { Opening } from './media.ts';
import { colorFilters, decoderOptions, frameFilters, scaleFilter } from './picture.ts';
import type { AudioTrack, Plan } from './plan.ts';

const { sampleRate, frameSamples } = AUDIO_CODEC;

/** Where a unit reads its source, and where it writes. */
export interface UnitPaths {
  /** The source: a path, or an HTTP address on loopback. */
  readonly address: string;
  /** Where decoding begins, on the container's clock: the time of a key frame. */
  readonly seekSeconds?: number | undefined;
  /** The scratch folder. */
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

/** ffmpeg's input options. They allow media formats only, and no file or address that the source refers to. */
export function inputOptions(
  { address, seekSeconds }: Omit<UnitPaths, 'directory'>,
  { late: deepProbe, ignoreEdits }: Opening,
): readonly string[] {
  const isServed = address.startsWith('http:');
  return [
    ...['-protocol_whitelist', isServed ? 'http,tcp' : 'file'],
    ...['-format_whitelist', DEMUXERS.join(',')],
    ...(deepProbe ? DEEP_PROBE_OPTIONS : []),
    ...(ignoreEdits ? ['-ignore_editlist', '1'] : []),
    // The frames between the key frame and the wanted one are kept: one of them may still be shown at the wanted time.
    ...(seekSeconds === undefined
      ? []
      : ['-noaccurate_seek', '-seek_timestamp', '1', '-ss', seekSeconds.toFixed(6)]),
    ...['-i', isServed ? address : `file:${address}`],
  ];
}

/** Common to all runs of ffmpeg: no prompts, log lines with their level, and progress in a form for programs. */
export const GENERAL_OPTIONS: readonly string[] = [
  ...['-nostdin', '-hide_banner', '-loglevel', 'level+warning'],
  ...['-progress', 'pipe:1', '-nostats', '-y'],
  // All chunks share one clock: the container's.
  '-copyts',
];

/** By default, ffmpeg exits with 0 even if it decoded nothing. */
const ABORT_WHEN_EMPTY: readonly string[] = ['-abort_on', 'empty_output_stream'];

/** If the size or the sample format changes midway, new filters would start the timeline again from zero. */
export const KEEP_FILTERS: readonly string[] = ['-reinit_filter', '0'];

/**
 * Encodes one chunk. The source is decoded once, and its frames on the grid feed the encoders of all renditions.
 * Segments are cut at the plan's frames and numbered across the whole asset. Further outputs are references for the
 * gate.
 */
export function videoCommand(plan: Plan, unit: Unit<'video'>, paths: UnitPaths): readonly string[] {
  const { media, grid, renditions } = plan;
  const { video } = media;
  if (!video) throw new Error(`${unit.name} of job ${plan.jobId} has no picture to encode.`);
  const rate = `${grid.rate.num}/${grid.rate.den}`;
  const frames = [
    // The grid is absolute: frame n is shown at n / rate, wherever the decoder began. `pass` also keeps a last picture
    // without a duration.
    `fps=fps=${rate}:round=near:eof_action=pass`,
    // If the video ends before the sound, its last picture is repeated to the end.
    'tpad=stop=-1:stop_mode=clone',
    // If it begins after the sound, its first picture fills the time before.
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
    ...KEEP_FILTERS,
    ...decoderOptions(video),
    ...originOffset(plan),
    ...inputOptions(paths, media.opening),
    ...['-filter_complex', graph],
    ...renditions.flatMap((rendition, index) => [
      ...['-map', `[v${index}]`, ...VIDEO_CODEC.encoder(plan, rendition)],
      ...['-fps_mode', 'passthrough', '-map_metadata', '-1', '-fflags', '+bitexact'],
      ...CONTAINER.muxer(videoBorders(plan, unit), unit.firstSegment),
      segmentPattern(paths.directory, rendition.name),
    ]),
    ...referenceOutputs(paths.directory),
  ];
}

/** Decodes concatenated key frames of any sizes to tiny copies. */
export const KEYS_COMMAND: readonly string[] = [
  ...['-hide_banner', '-loglevel', 'error', '-threads', '1'],
  ...['-f', VIDEO_CODEC.format, '-i', 'pipe:0'],
  ...['-vf', KEY_FILTER],
  ...['-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
];

/** Encodes one sound track from start to end. AAC that is encoded in pieces clicks at each join. */
export function audioCommand(plan: Plan, track: AudioTrack, paths: UnitPaths): readonly string[] {
  const { media } = plan;
  return [
    ...GENERAL_OPTIONS,
    ...ABORT_WHEN_EMPTY,
    ...KEEP_FILTERS,
    ...originOffset(plan),
    ...inputOptions(paths, media.opening),
    ...['-filter_complex', soundGraph(plan, track, paths)],
    // Without an output for each end of the graph, ffmpeg 7 fails an assertion at the end of the source.
    ...[...track.streams.map((_, index) => levelsLabel(index)), '[encoded]'].flatMap((levels) => [
      ...['-map', levels, '-f', 'null', '-'],
    ]),
    ...['-map', '[sum]', ...AUDIO_CODEC.encoder(track)],
    ...['-map_metadata', '-1', '-fflags', '+bitexact'],
    ...CONTAINER.muxer(audioBorders(plan).borders, 0),
    segmentPattern(paths.directory, track.name),
  ];
}

/** The filter output that measures the levels of a stream, by its index in the track. */
function levelsLabel(index: number): string {
  return `[heard${index}]`;
}

type TrackStream = AudioTrack['streams'][number];

/**
 * Mixes the streams of a track for the encoder. For the gate, it also writes the levels of each stream and of the mix.
 */
function soundGraph(plan: Plan, track: AudioTrack, { directory }: UnitPaths): string {
  const output = [
    // A sum of loud channels can exceed full scale for a moment.
    ...(peakGain(track) > 1 ? ['alimiter=limit=1:level=0:latency=1'] : []),
    `aformat=sample_fmts=fltp:channel_layouts=${track.channels === 1 ? 'mono' : 'stereo'}`,
    'apad',
    `atrim=end_sample=${audioSamples(plan)}`,
    'asplit[made]',
  ];
  const levels = (name: string) => levelsFilter(`file:${directory}/${name}`);
  const graph = mixGraph(
    track,
    output,
    (index) => `${levels(sourceLevels(index))}${levelsLabel(index)}`,
  );
  return `${graph};[made]${levels(ENCODED_LEVELS)}[encoded]`;
}

/** Fills a late start and gaps with silence, which keeps the sound in sync with the picture. */
const FROM_ZERO = `aresample=${sampleRate}:async=1:min_hard_comp=0.1:first_pts=0`;

/** Mixes a stream down to stereo with the plan's gains, if it has any. */
function downmix({ gains }: TrackStream): readonly string[] {
  if (!gains) return [];
  const pan = `pan=stereo|c0=${panTerms(gains.left)}|c1=${panTerms(gains.right)}`;
  // Only floating-point samples can exceed full scale.
  return ['aformat=sample_fmts=fltp', pan];
}

/** One output channel of the pan filter: https://ffmpeg.org/ffmpeg-filters.html#pan */
function panTerms(gains: readonly number[]): string {
  const terms = gains.map((gain, channel) => (gain === 1 ? `c${channel}` : `${gain}*c${channel}`));
  return terms.filter((_, channel) => gains[channel] !== 0).join('+') || '0*c0';
}

/**
 * A filter graph that mixes the streams of a track into `[sum]`, through the filters `output`. A stream that ends
 * before the others continues with silence. `measure` returns filters that get a copy of each stream, by its index in
 * the track.
 */
export function mixGraph(
  { streams }: AudioTrack,
  output: readonly string[],
  measure?: (index: number) => string,
): string {
  const inputs = streams.map((stream, index) => {
    const from = `[0:${stream.index}]`;
    if (!measure) return `${from}${[...downmix(stream), FROM_ZERO].join(',')}`;
    const parts = [...downmix(stream), `asplit[s${index}][m${index}]`].join(',');
    return `${from}${parts};[s${index}]${measure(index)};[m${index}]${FROM_ZERO}`;
  });
  const [first, ...others] = inputs;
  if (others.length === 0) return `${[first, ...output].join(',')}[sum]`;
  const names = streams.map((_, index) => `[a${index}]`);
  return [
    ...inputs.map((input, index) => `${input},apad${names[index]}`),
    `${names.join('')}amix=inputs=${streams.length}:normalize=0,${output.join(',')}[sum]`,
  ].join(';');
}

/** The level of the louder side if all channels are at full scale; 1 is full scale. */
function peakGain({ streams }: AudioTrack): number {
  const side = (name: 'left' | 'right') =>
    streams
      .flatMap(({ gains }) => gains?.[name] ?? [])
      .reduce((total, gain) => total + Math.abs(gain), 0);
  return Math.max(side('left'), side('right'));
}

/** Decodes the frames of a track's segments, drops the encoder's priming frame, and prints their levels. */
export const LEVELS_COMMAND: readonly string[] = [
  ...['-hide_banner', '-loglevel', 'error', '-f', AUDIO_CODEC.format, '-i', 'pipe:0'],
  ...['-af', `atrim=start_sample=${frameSamples},asetpts=N/SR/TB,${levelsFilter('pipe:1')}`],
  ...['-f', 'null', '-'],
];

/**
 * Moves the plan's origin to time zero, at the demuxer. In a filter, ffmpeg 5.1's setpts leaves the end of the stream
 * where it was, and the last frames of some sources are lost.
 */
export function originOffset({ media: { demuxer }, originSeconds }: Plan): readonly string[] {
  const offset = (DISCONTINUOUS.test(demuxer) ? 1e-6 : 0) - originSeconds;
  return offset === 0 ? [] : ['-itsoffset', offset.toFixed(6)];
}

/**
 * Containers with AVFMT_TS_DISCONT. If the offset is exactly their start, ffmpeg assumes that the one stream it reads
 * begins there, and sound that begins after the picture would be shifted. An offset of a microsecond more prevents
 * that.
 */
const DISCONTINUOUS = /^(mpeg|mpegts|ogg)$/;

/** The frames that begin the second and later segments, counted within the chunk. */
function videoBorders({ grid }: Plan, unit: Unit<'video'>): readonly number[] {
  return Array.from({ length: unit.segments - 1 }, (_, index) => (index + 1) * grid.segmentFrames);
}

/**
 * `borders` are the AAC frames that begin the second and later segments: each the first frame at or after the picture's
 * border. A last segment that is shorter than an AAC frame still gets one. `frames` is the total. Frame 0 is the
 * encoder's priming frame, before time zero.
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
