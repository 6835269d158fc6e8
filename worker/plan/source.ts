import { z } from 'zod';
import { RejectedError } from '../../core/model/errors.ts';
import type { LeftOut } from '../../core/model/left-out.ts';
import { isVariable } from './frame-rate.ts';
import { tooLarge } from './frames.ts';
import { displaySize, parseSampleAspect } from './geometry.ts';
import type { SourceLimits, SourceMedia, SourceVideo } from './media.ts';
import { parseRational, toNumber } from './rational.ts';
import { encrypted, stillImage } from './signature.ts';
import { soundsOf } from './sound.ts';
import type { SoundStream } from './sound.ts';
import { isStretchOf, parseMatrix, turnByDegrees, turnOf } from './turn.ts';

/** Demuxers of bare video streams, which have no timestamps. */
const BARE = /^(h264|hevc|m4v|mpegvideo)$/;

const seconds = z.coerce.number().catch(Number.NaN);
const whole = z.coerce.number().int().catch(0);
const flag = z.coerce.number().catch(0);

const streamSchema = z.object({
  index: z.number().int().min(0),
  codec_type: z.string().optional(),
  codec_name: z.string().optional(),
  codec_tag_string: z.string().optional(),
  width: whole.default(0),
  height: whole.default(0),
  pix_fmt: z.string().optional(),
  bits_per_raw_sample: whole.default(0),
  sample_aspect_ratio: z.string().optional(),
  avg_frame_rate: z.string().optional(),
  r_frame_rate: z.string().optional(),
  field_order: z.string().optional(),
  color_transfer: z.string().optional(),
  color_primaries: z.string().optional(),
  color_space: z.string().optional(),
  color_range: z.string().optional(),
  channels: whole.default(0),
  channel_layout: z.string().optional(),
  sample_rate: whole.default(0),
  start_time: seconds.default(Number.NaN),
  duration: seconds.default(Number.NaN),
  disposition: z
    .object({ default: flag.default(0), attached_pic: flag.default(0) })
    .catchall(flag)
    .optional(),
  nb_frames: whole.default(0),
  time_base: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
  side_data_list: z
    .array(
      z.object({
        side_data_type: z.string().default(''),
        displaymatrix: z.string().optional(),
        rotation: z.coerce.number().optional(),
        dv_profile: z.number().optional(),
        dv_bl_signal_compatibility_id: z.number().optional(),
      }),
    )
    .default([]),
});

type Stream = z.infer<typeof streamSchema>;

const probeSchema = z.object({
  format: z.object({
    format_name: z.string(),
    start_time: seconds.default(Number.NaN),
    duration: seconds.default(Number.NaN),
    tags: z.record(z.string(), z.string()).default({}),
  }),
  streams: z.array(streamSchema).default([]),
  /** The programs of a broadcast: several may share one transport stream. */
  programs: z
    .array(z.object({ streams: z.array(z.object({ index: z.number() })).default([]) }))
    .default([]),
});

/** What a container declares. worker/ffmpeg/probe.ts measures the real duration. */
export interface DeclaredMedia extends Omit<
  SourceMedia,
  'durationSeconds' | 'startSeconds' | 'pictureSeconds' | 'opening'
> {
  readonly startSeconds: number | undefined;
  /** When the first sound begins. */
  readonly soundSeconds: number | undefined;
  readonly durationSeconds: number | undefined;
  /** The longest duration that the container declares, for itself or for a stream; 0 if it declares none. */
  readonly longestSeconds: number;
  /** Announced audio streams whose format ffprobe could not identify. They matter only if they have packets. */
  readonly unidentifiedAudio: readonly number[];
}

/**
 * Whether ffprobe may have missed a stream or its format, so that it has to analyse more of the source. A program stream
 * does not announce its streams.
 */
export function needsDeepProbe(json: unknown): boolean {
  const { format, streams } = probeSchema.parse(json);
  if (format.format_name === 'mpeg') return true;
  return streams.some((stream) => isUnidentifiedAudio(stream) || isUnidentifiedVideo(stream));
}

function isUnidentifiedAudio({ codec_type, codec_name, channels }: Stream): boolean {
  return codec_type === 'audio' && Boolean(codec_name) && channels <= 0;
}

function isUnidentifiedVideo({ codec_type, width, disposition }: Stream): boolean {
  return codec_type === 'video' && width <= 0 && !disposition?.attached_pic;
}

/** Whether a source must have a moving picture, may have one, or is used for its sound alone. */
export type PictureWanted = 'required' | 'optional' | 'left_out';

/**
 * Parses the JSON of ffprobe's `-show_format -show_streams`. Throws RejectedError, with a message for the uploader, if
 * the source can never become an asset, and another Error if the JSON is not ffprobe's.
 */
export function parseProbe(
  json: unknown,
  sizeBytes: number,
  limits: SourceLimits,
  wanted: PictureWanted = 'optional',
): DeclaredMedia {
  const { format, streams: all, programs } = probeSchema.parse(json);
  if (BARE.test(format.format_name)) {
    throw new RejectedError(
      'unsupported_source',
      'The file is a bare video stream, which does not say when a picture is shown. Put it into an MP4 file.',
    );
  }
  if (isEncrypted(format.tags) || all.some(hasEncryption)) throw encrypted();
  const image = stillImageIn(format, all);
  if (image) throw stillImage(image);
  const picture = wanted === 'left_out' ? undefined : chooseVideo(all);
  const streams = ofProgram(programs, picture, all);
  const audio = streams.filter(
    (stream) => stream.codec_type === 'audio' && stream.codec_name && stream.channels > 0,
  );
  if (!picture && wanted === 'required') throw withoutVideo(audio.length > 0);
  if (audio.length === 0 && streams.some(isUnknownSound)) {
    // Otherwise the asset would silently lose its sound.
    throw new RejectedError(
      'unsupported_source',
      'The sound is encoded in a way that is not supported. Export it as AAC in an MP4 file.',
    );
  }
  if (!picture && audio.length === 0) {
    if (wanted !== 'left_out') throw withoutVideo(false);
    throw new RejectedError('no_sound');
  }
  if (picture && picture.nb_frames > sizeBytes) {
    throw new RejectedError(
      'damaged_source',
      `The file says that it holds ${picture.nb_frames} pictures, and has only ${sizeBytes} bytes. It is damaged: export or upload it again.`,
    );
  }
  const chosen = [...(picture ? [picture] : []), ...audio];
  const cover = picture ? undefined : chooseCover(streams, limits);
  if (chosen.some((stream) => hasNoClock(stream, format.format_name))) {
    throw new RejectedError(
      'unsupported_source',
      'The file does not declare how fast its clock runs: its header is wrong. Export it again.',
    );
  }
  const startSeconds = earliest(chosen);
  const { durationSeconds, longestSeconds } = declaredLength(chosen, startSeconds ?? 0, format);
  if (longestSeconds > limits.maxDurationSeconds) throw tooLong(longestSeconds, limits);
  return {
    demuxer: format.format_name,
    sizeBytes,
    startSeconds,
    soundSeconds: earliest(audio),
    durationSeconds,
    longestSeconds,
    ...(picture ? { video: parseVideo(picture, format.format_name, limits) } : {}),
    ...(cover ? { cover: parseVideo(cover, format.format_name, limits) } : {}),
    audio: soundsOf(
      format.format_name,
      audio.map((stream) => parseAudio(stream)),
    ),
    leftOut: all
      .filter((stream) => stream !== cover && !chosen.includes(stream))
      .map((stream) => parseLeftOut(stream, streams, { picture, cover })),
    unidentifiedAudio: streams.filter(isUnidentifiedAudio).map(({ index }) => index),
  };
}

/** Tags that ffmpeg's Matroska and ASF demuxers set on streams that they cannot decrypt. */
const ENCRYPTION_TAGS = ['enc_key_id', 'ASF_Protection_Type', 'ASF_Key_ID', 'encryption'];

function isEncrypted(tags: Readonly<Record<string, string>>): boolean {
  return ENCRYPTION_TAGS.some((name) => name in tags);
}

/** Sample types of Common Encryption, FairPlay and Audible. */
const ENCRYPTED_TYPES = /^(enc[avtms]|drm[sit]|p608|aavd)$/;

function hasEncryption({ codec_tag_string = '', tags, side_data_list }: Stream): boolean {
  return (
    ENCRYPTED_TYPES.test(codec_tag_string) ||
    isEncrypted(tags) ||
    // ffprobe reports a `pssh` box as side data.
    side_data_list.some((data) => /^Encryption /.test(data.side_data_type))
  );
}

/** The format of a still image in a container of animations; undefined for any other source. */
function stillImageIn(
  { format_name, tags }: z.infer<typeof probeSchema>['format'],
  streams: readonly Stream[],
): string | undefined {
  if (streams.some(({ nb_frames }) => nb_frames > 1)) return undefined;
  if (format_name === 'gif')
    return streams.some(({ nb_frames }) => nb_frames === 1) ? 'GIF' : undefined;
  // Image sequences have other brands: `avis`, `msf1`, `hevc`.
  return /^(avif|hei[cxms]|mif1)$/.test(tags['major_brand'] ?? '') ? 'AVIF or HEIF' : undefined;
}

/** Rejects a source that has sound of an unidentified format, as the asset would lose that sound. */
export function soundUnrecognised(): RejectedError {
  return new RejectedError(
    'unsupported_source',
    'Sound of the file could not be recognised: it begins very late, or is damaged. Convert the file to MP4.',
  );
}

export function tooLong(
  durationSeconds: number,
  { maxDurationSeconds }: SourceLimits,
): RejectedError {
  const hours = (length: number) => `${(length / 3600).toFixed(1)} hours`;
  return new RejectedError(
    'source_too_long',
    `The file says that it lasts ${hours(durationSeconds)}; at most ${hours(maxDurationSeconds)} are taken. ` +
      'If it is shorter, export it again: its header is wrong.',
  );
}

function earliest(streams: readonly Stream[]): number | undefined {
  const starts = streams.map((stream) => stream.start_time).filter(Number.isFinite);
  return starts.length > 0 ? Math.min(...starts) : undefined;
}

/**
 * `durationSeconds` reaches from the first of the chosen streams to the end of the last, as subtitles can outlast them,
 * and never exceeds the container's own duration. `longestSeconds` is the longest declared duration of all. A declared
 * duration of zero counts as none.
 */
function declaredLength(
  chosen: readonly Stream[],
  start: number,
  format: z.infer<typeof probeSchema>['format'],
): { durationSeconds: number | undefined; longestSeconds: number } {
  const fragmented =
    format.format_name.startsWith('mov') && chosen.every(({ nb_frames }) => nb_frames === 0);
  const declaresEnd = fragmented || format.format_name === 'flv';
  const endOf = (from: number, length: number) => {
    // Fragmented MP4 and FLV declare the time at which they end, not their duration.
    if (declaresEnd && length > from) return length;
    return length > 0 ? from + length : Number.NaN;
  };
  const ends = chosen.map(({ start_time, duration, tags }) =>
    // Matroska's tag is also the time at which the stream ends.
    Number.isFinite(duration)
      ? endOf(start_time || 0, duration)
      : endOf(0, clockSeconds(tags['DURATION'])),
  );
  const whole = endOf(format.start_time || start, format.duration);
  const last = [Math.max(...ends), whole].filter(Number.isFinite);
  const longest = Math.max(start, ...[...ends, whole].filter(Number.isFinite));
  return {
    durationSeconds: last.length > 0 ? Math.min(...last) - start : undefined,
    longestSeconds: longest - start,
  };
}

/**
 * ffmpeg reads an MP4's time scale of 0 as 1, so that timestamps are whole seconds. No sound has such a clock, and of
 * pictures only slide shows.
 */
function hasNoClock({ time_base, avg_frame_rate, codec_type }: Stream, demuxer: string): boolean {
  if (!demuxer.startsWith('mov') || time_base !== '1/1') return false;
  const rate = parseRational(avg_frame_rate);
  return codec_type === 'audio' || (rate !== undefined && toNumber(rate) < SLOWEST_RATE);
}

/** In pictures per second; slide shows are faster. */
const SLOWEST_RATE = 1 / 60;

/** Parses Matroska's `00:00:15.005000000` as seconds; NaN for any other text. */
function clockSeconds(text = ''): number {
  const parts = /^(\d+):(\d+):([\d.]+)$/.exec(text);
  return Number(parts?.[1]) * 3600 + Number(parts?.[2]) * 60 + Number(parts?.[3]);
}

/** Drops the streams of other programs than the picture's, as their sound belongs to other pictures. */
function ofProgram(
  programs: z.infer<typeof probeSchema>['programs'],
  picture: Stream | undefined,
  streams: readonly Stream[],
): readonly Stream[] {
  const holds = (stream: Stream | undefined) => (program: (typeof programs)[number]) =>
    program.streams.some(({ index }) => index === stream?.index);
  const own = programs.find(holds(picture));
  if (!own) return streams;
  return streams.filter((stream) => holds(stream)(own) || !programs.some(holds(stream)));
}

/** The stream that a player would show: the default one, else the largest, and never a cover. */
function chooseVideo(streams: readonly Stream[]): Stream | undefined {
  const weight = (stream: Stream) =>
    (stream.disposition?.default ? 1e12 : 0) + stream.width * stream.height;
  return streams
    .filter((stream) => stream.codec_type === 'video' && !stream.disposition?.attached_pic)
    .sort((a, b) => weight(b) - weight(a))[0];
}

/** If the source has sound, only the setting that requires a picture excludes it. */
function withoutVideo(hasSound: boolean): RejectedError {
  return hasSound ? new RejectedError('sound_refused') : new RejectedError('no_video');
}

/** ffprobe omits the name of a codec that it does not know. */
function isUnknownSound({ codec_type, codec_name }: Stream): boolean {
  return codec_type === 'audio' && !codec_name;
}

/** The front cover if one is labelled as such, else the first; undecodable or oversized covers do not count. */
function chooseCover(streams: readonly Stream[], limits: SourceLimits): Stream | undefined {
  const shown = streams.filter(
    ({ disposition, codec_name, width, height }) =>
      disposition?.attached_pic &&
      codec_name &&
      width > 0 &&
      height > 0 &&
      width * height <= limits.maxPicturePixels,
  );
  return shown.find(({ tags }) => /front/i.test(tags['comment'] ?? '')) ?? shown[0];
}

const KINDS: Readonly<Record<string, LeftOut['what']>> = {
  video: 'picture',
  audio: 'sound',
  subtitle: 'subtitles',
  attachment: 'attachment',
};

function parseLeftOut(
  stream: Stream,
  ofProgram: readonly Stream[],
  chosen: { readonly picture: Stream | undefined; readonly cover: Stream | undefined },
): LeftOut {
  const { index, codec_type = '', codec_name, codec_tag_string, tags } = stream;
  const what = KINDS[codec_type] ?? 'data';
  const named = what !== 'data' && known(codec_name);
  const codec = named ? codec_name : codec_tag_string;
  const language = languageTag(tags['language'] ?? tags['LANGUAGE']);
  return {
    stream: index,
    what,
    ...(codec && /^\w/.test(codec) ? { codec } : {}),
    ...(language === 'und' ? {} : { language }),
    reason: ofProgram.includes(stream) ? whyLeftOut(stream, what, chosen) : 'another_program',
  };
}

function whyLeftOut(
  stream: Stream,
  what: LeftOut['what'],
  { picture, cover }: { readonly picture: Stream | undefined; readonly cover: Stream | undefined },
): LeftOut['reason'] {
  switch (what) {
    case 'picture':
      if (stream.disposition?.attached_pic) {
        if (picture) return 'cover_of_video';
        return cover ? 'another_picture' : 'unusable_cover';
      }
      return picture ? 'another_picture' : 'sound_only';
    case 'sound':
      return isUnknownSound(stream) ? 'unknown_codec' : 'never_begins';
    case 'subtitles':
      return 'no_captions_yet';
    case 'attachment':
    case 'data':
      return 'not_shown_or_heard';
  }
}

function parseVideo(stream: Stream, demuxer: string, limits: SourceLimits): SourceVideo {
  const { codec_name: codec, width, height } = stream;
  if (!codec || codec === 'none' || codec === 'unknown') {
    throw new RejectedError(
      'unsupported_source',
      'The video is encoded in a way that is not supported. Export it as H.264 in an MP4 file.',
    );
  }
  if (width <= 0 || height <= 0) {
    throw new RejectedError(
      'unreadable_source',
      'The video does not say how large its picture is.',
    );
  }
  if (width * height > limits.maxPicturePixels) {
    throw tooLarge({ width, height }, limits);
  }
  requireBaseLayer(stream);
  const { turn, sampleAspect } = shapeOf(stream);
  const average = parseRational(stream.avg_frame_rate);
  const base = parseRational(stream.r_frame_rate);
  const rates = { ...(average ? { average } : {}), ...(base ? { base } : {}) };
  return {
    index: stream.index,
    codec,
    display: displaySize({ width, height }, sampleAspect, turn),
    turn,
    rates,
    variableFrameRate: isVariable(rates),
    fieldOrder: fieldOrderOf(stream),
    fieldsFlagged: false,
    resized: false,
    transfer: transferOf(stream),
    bitDepth: stream.bits_per_raw_sample || bitDepthOf(stream.pix_fmt),
    rgb: /^(rgb|bgr|gbr|argb|abgr|0rgb|0bgr|pal8)/.test(stream.pix_fmt ?? ''),
    alpha: hasAlpha(stream, demuxer),
    ...present('colorPrimaries', known(stream.color_primaries)),
    ...present('colorTransfer', known(stream.color_transfer)),
    ...present('colorMatrix', known(stream.color_space)),
    ...(stream.color_range === 'tv' || stream.color_range === 'pc'
      ? { colorRange: stream.color_range }
      : {}),
  };
}

/** Adds the measured pace of the packets; a pace of 0 means that none was measured. */
export function applyPace(video: SourceVideo, pace: number): SourceVideo {
  const rates = { ...video.rates, ...(pace > 0 ? { pace: Math.round(pace * 1000) / 1000 } : {}) };
  return { ...video, rates, variableFrameRate: isVariable(rates) };
}

function parseAudio(stream: Stream): SoundStream {
  const { default: isDefault = 0, ...roles }: Readonly<Record<string, number>> =
    stream.disposition ?? {};
  return {
    index: stream.index,
    codec: stream.codec_name ?? 'unknown',
    channels: stream.channels,
    sampleRate: stream.sample_rate,
    language: languageTag(stream.tags['language'] ?? stream.tags['LANGUAGE']),
    ...present('title', stream.tags['title']?.trim()),
    ...present('layout', known(stream.channel_layout)),
    default: Boolean(isDefault),
    roles: Object.keys(roles)
      .filter((name) => roles[name])
      .join(' '),
    startSeconds: stream.start_time,
    durationSeconds: Number.isFinite(stream.duration)
      ? stream.duration
      : clockSeconds(stream.tags['DURATION']),
  };
}

/** The turn of the picture and the shape of its samples, without values that make no sense. */
function shapeOf({ side_data_list, tags, sample_aspect_ratio }: Stream) {
  const side = side_data_list.find((data) => data.rotation !== undefined || data.displaymatrix);
  const matrix = side?.displaymatrix ? parseMatrix(side.displaymatrix) : undefined;
  const ratio = parseSampleAspect(sample_aspect_ratio);
  if (!matrix) {
    // ffprobe's rotation is counterclockwise, the older tag is clockwise.
    const degrees = side?.rotation === undefined ? Number(tags['rotate'] ?? 0) : -side.rotation;
    return { turn: turnByDegrees(degrees), sampleAspect: ratio };
  }
  const turn = turnOf(matrix);
  if (turn) return { turn, sampleAspect: ratio };
  return {
    turn: 'none' as const,
    sampleAspect: ratio && isStretchOf(matrix, ratio) ? undefined : ratio,
  };
}

/**
 * Dolby Vision profile 5, and profile 10 (AV1) without a compatible base layer, use the colour space IPTPQc2, which
 * only Dolby Vision decoders show correctly:
 * https://professionalsupport.dolby.com/s/article/What-is-Dolby-Vision-Profile
 */
function requireBaseLayer({ side_data_list }: Stream): void {
  const vision = side_data_list.find(({ dv_profile }) => dv_profile !== undefined);
  const { dv_profile, dv_bl_signal_compatibility_id } = vision ?? {};
  if (dv_profile === 5 || (dv_profile === 10 && dv_bl_signal_compatibility_id === 0)) {
    throw new RejectedError(
      'dolby_vision_only',
      `The picture is Dolby Vision profile ${dv_profile}, whose colours only Dolby's own decoders show. Export it as HDR10, HLG or standard range, or as Dolby Vision profile 8.`,
    );
  }
}

/** True for ffmpeg's pixel formats that have transparency, or may have it in a palette. */
export function isTransparent(pixelFormat: string): boolean {
  return pixelFormat === 'pal8' || TRANSPARENT.test(pixelFormat);
}

const TRANSPARENT = /^(argb|rgba|abgr|bgra|gbrap|yuva|ya\d|ayuv|vuya)/;

function hasAlpha({ codec_name, pix_fmt = '', tags }: Stream, demuxer: string): boolean {
  // The fourth byte of uncompressed pixels in AVI has no meaning, and is mostly zero.
  if (codec_name === 'rawvideo' && demuxer === 'avi') return false;
  // VP8 and VP9 keep transparency in separate packets, which a Matroska tag announces.
  if (codec_name === 'vp8' || codec_name === 'vp9')
    return (tags['alpha_mode'] ?? tags['ALPHA_MODE']) === '1';
  return (
    TRANSPARENT.test(pix_fmt) || (pix_fmt === 'pal8' && /^(a?png|gif)$/.test(codec_name ?? ''))
  );
}

function fieldOrderOf({ field_order }: Stream): SourceVideo['fieldOrder'] {
  // tt and bt show the top field first, bb and tb the bottom field.
  if (field_order === 'tt' || field_order === 'bt') return 'top_first';
  if (field_order === 'bb' || field_order === 'tb') return 'bottom_first';
  return 'progressive';
}

function transferOf({ color_transfer }: Stream): SourceVideo['transfer'] {
  if (color_transfer === 'smpte2084') return 'pq';
  return color_transfer === 'arib-std-b67' ? 'hlg' : 'sdr';
}

function bitDepthOf(pixelFormat = ''): number {
  return Number(/p(9|10|12|14|16)(le|be)$/.exec(pixelFormat)?.[1] ?? 8);
}

/** Canonicalises a language tag as BCP 47: ISO 639-2's `kor` becomes `ko`. */
function languageTag(tag = 'und'): string {
  try {
    return Intl.getCanonicalLocales(tag.trim().replaceAll('_', '-'))[0] ?? 'und';
  } catch {
    return 'und';
  }
}

function known(name: string | undefined): string | undefined {
  return name && !['unknown', 'reserved', 'unspecified'].includes(name) ? name : undefined;
}

function present<Name extends string>(
  name: Name,
  value: string | undefined,
): Partial<Record<Name, string>> {
  return value ? ({ [name]: value } as Record<Name, string>) : {};
}
