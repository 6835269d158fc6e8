import { colorFilters, frameFilters, scaleFilter } from './picture.ts';
import { frameSeconds, segmentsOf } from './grid.ts';
import type { AudioTrack, Plan, Unit } from './plan.ts';
import { DEMUXERS } from './source.ts';

/**
 * Every segment of every unit is shifted by so many seconds, as MPEG-TS knows no time below zero
 * and pictures are decoded before they are shown.
 */
export const TIMESTAMP_OFFSET_SECONDS = 10;

export const AUDIO_RATE = 48_000;
/** Samples in an AAC frame. */
const AAC_FRAME = 1024;

/** Where a unit's source and its scratch folder are. */
export interface Place {
  /** A path, or a URL that is signed for long enough. */
  readonly address: string;
  /** Skips to a key frame: seconds from the container's first timestamp. */
  readonly seekSeconds?: number | undefined;
  readonly directory: string;
}

/** ffmpeg's arguments that come before `-i`: nothing but media, and nothing that the file itself names, is opened. */
export function inputOptions({
  address,
  seekSeconds,
}: Omit<Place, 'directory'>): readonly string[] {
  const remote = /^https?:\/\//.test(address);
  return [
    ...['-protocol_whitelist', remote ? 'http,https,tls,tcp' : 'file'],
    ...['-format_whitelist', DEMUXERS.join(',')],
    // Microseconds without traffic; a connection that breaks is taken up again where it broke.
    ...(remote
      ? ['-rw_timeout', '30000000', '-reconnect', '1', '-reconnect_on_network_error', '1']
      : []),
    // The frames before the wanted one are decoded too: a frame can be shown longer than a gap to it.
    ...(seekSeconds === undefined ? [] : ['-noaccurate_seek', '-ss', seekSeconds.toFixed(6)]),
    ...['-i', remote ? address : `file:${address}`],
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

/**
 * The run that encodes one chunk: one decode, put on the grid, feeds the encoders of all renditions.
 * Segments are cut at the plan's frames, and named by their number in the whole asset.
 */
export function videoCommand(
  plan: Plan,
  unit: Extract<Unit, { kind: 'video' }>,
  place: Place,
): readonly string[] {
  const { media, grid, renditions } = plan;
  const { video } = media;
  if (!video) throw new Error(`${unit.name} of job ${plan.jobId} has no picture to encode.`);
  const frames = [
    `setpts=PTS-(${media.startSeconds})/TB`,
    ...frameFilters(video),
    // The grid is absolute: its frame n is shown at n / rate, wherever a chunk begins.
    `fps=fps=${grid.rate.num}/${grid.rate.den}:start_time=${frameSeconds(grid, unit.firstFrame).toFixed(6)}:round=near`,
    // A picture that ends before the sound stands still.
    'tpad=stop=-1:stop_mode=clone',
    `trim=end_frame=${unit.frames}`,
    ...colorFilters(video),
    `split=${renditions.length}${renditions.map((_, index) => `[s${index}]`).join('')}`,
  ];
  const graph = [
    `[0:${video.index}]${frames.join(',')}`,
    ...renditions.map((rendition, index) => `[s${index}]${scaleFilter(rendition)}[v${index}]`),
  ].join(';');
  return [
    ...GENERAL_OPTIONS,
    ...inputOptions(place),
    ...['-filter_complex', graph],
    ...renditions.flatMap((rendition, index) => [
      ...['-map', `[v${index}]`, '-c:v', 'libx264', '-preset', plan.encoder.preset],
      ...['-crf', String(plan.encoder.crf)],
      ...['-maxrate', String(rendition.maxBitRate), '-bufsize', String(rendition.bufferBits)],
      ...['-profile:v', 'high'],
      // No key frame but the grid's: every rendition must cut at the same frame, or switching stalls.
      ...['-g', String(grid.gopFrames), '-keyint_min', String(grid.gopFrames)],
      ...['-sc_threshold', '0', '-flags', '+cgop+bitexact'],
      // With a rate limit, x264's output depends on the timing of its threads. One thread for each
      // rendition keeps a unit's bytes the same on every run, and all cores busy all the same.
      ...['-x264-params', 'threads=1:lookahead-threads=1:sync-lookahead=10'],
      ...['-fps_mode', 'passthrough', '-map_metadata', '-1', '-fflags', '+bitexact'],
      ...segmentOptions(videoBorders(plan, unit), unit.firstSegment),
      `${place.directory}/${rendition.name}/%05d.ts`,
    ]),
  ];
}

/** The run that encodes one sound track from start to end: encoded in pieces, AAC would click at each join. */
export function audioCommand(plan: Plan, track: AudioTrack, place: Place): readonly string[] {
  const filters = [
    `asetpts=PTS-(${plan.media.startSeconds})/TB`,
    // Silence where the sound begins late or has gaps, so that it stays with the picture.
    `aresample=${AUDIO_RATE}:async=1:min_hard_comp=0.1:first_pts=0`,
    `aformat=sample_fmts=fltp:channel_layouts=${track.channels === 1 ? 'mono' : 'stereo'}`,
    'apad',
    `atrim=end_sample=${audioSamples(plan)}`,
  ];
  return [
    ...GENERAL_OPTIONS,
    ...inputOptions(place),
    ...['-map', `0:${track.streamIndex}`, '-af', filters.join(',')],
    ...['-c:a', 'aac', '-b:a', String(track.bitRate), '-flags', '+bitexact'],
    ...['-map_metadata', '-1', '-fflags', '+bitexact'],
    ...segmentOptions(audioBorders(plan), 0),
    `${place.directory}/${track.name}/%05d.ts`,
  ];
}

function segmentOptions(borders: readonly number[], firstSegment: number): readonly string[] {
  return [
    ...['-muxdelay', '0', '-muxpreload', '0'],
    ...['-output_ts_offset', String(TIMESTAMP_OFFSET_SECONDS)],
    ...['-f', 'segment', '-segment_format', 'mpegts'],
    // A border that is never reached stands for none.
    ...['-segment_frames', borders.length > 0 ? borders.join(',') : String(2 ** 31 - 2)],
    ...['-segment_start_number', String(firstSegment)],
  ];
}

/** The frames, counted within the chunk, that begin its second, third … segment. */
function videoBorders({ grid }: Plan, unit: Extract<Unit, { kind: 'video' }>): readonly number[] {
  return Array.from({ length: unit.segments - 1 }, (_, index) => (index + 1) * grid.segmentFrames);
}

/**
 * The AAC frames that begin the second, third … segment: the first not before the picture's border.
 * The encoder's first frame is its run-in, and lies before time zero.
 */
function audioBorders({ grid }: Plan): readonly number[] {
  return segmentsOf(grid)
    .slice(1)
    .map(({ firstFrame }) => {
      const samples = (firstFrame * grid.rate.den * AUDIO_RATE) / grid.rate.num;
      return Math.ceil(samples / AAC_FRAME) + 1;
    });
}

function audioSamples({ grid }: Plan): number {
  return Math.round((grid.frames * grid.rate.den * AUDIO_RATE) / grid.rate.num);
}

export const AUDIO_FRAME_SECONDS = AAC_FRAME / AUDIO_RATE;
