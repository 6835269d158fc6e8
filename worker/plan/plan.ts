import { createHash } from 'node:crypto';
import { z } from 'zod';
import { gridRate } from './frame-rate.ts';
import { chunksOf, makeGrid } from './grid.ts';
import type { Grid } from './grid.ts';
import { planImages, planSoundImages } from './images.ts';
import { MAX_AUDIO_TRACKS, leftOutSchema } from '../../core/model/left-out.ts';
import type { LeftOut } from '../../core/model/left-out.ts';
import { skippedSchema } from '../../core/model/ladder.ts';
import type { Rung, Skipped } from '../../core/model/ladder.ts';
import { selectRenditions } from './renditions.ts';
import type { Rendition } from './renditions.ts';
import { originSeconds } from './phase.ts';
import { rational } from './rational.ts';
import { stereoGains } from './sound.ts';
import type { Gains } from './sound.ts';
import type { Size, SourceAudio, SourceMedia } from './source.ts';
import { TURNS } from './turn.ts';

/** One version of one uploaded object. */
export interface SourceObject {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  readonly sizeBytes: number;
}

/** One sound of the source as an HLS audio rendition. */
export interface AudioTrack {
  /** `audio-0`, also in keys. */
  readonly name: string;
  /** The source's streams that hold its channels; without gains ffmpeg mixes by itself. */
  readonly streams: readonly { readonly index: number; readonly gains?: Gains }[];
  readonly language: string;
  /** What a player's menu shows; unique within the asset. */
  readonly label: string;
  readonly default: boolean;
  readonly channels: 1 | 2;
  readonly bitRate: number;
}

export interface ImagePlan {
  readonly poster: Size;
  readonly thumbnails: readonly Size[];
  /** Of a moving picture. */
  readonly storyboard?: Storyboard;
}

/** Sprite sheets: `columns` × `rows` tiles each, a tile every `intervalSeconds`. */
export interface Storyboard {
  readonly tile: Size;
  readonly columns: number;
  readonly rows: number;
  readonly intervalSeconds: number;
  readonly tiles: number;
}

export type Unit =
  | {
      readonly kind: 'video';
      readonly name: string;
      readonly firstFrame: number;
      readonly frames: number;
      readonly firstSegment: number;
      readonly segments: number;
    }
  | { readonly kind: 'audio'; readonly name: string; readonly track: string }
  | { readonly kind: 'images'; readonly name: 'images' };

/** Counts up when a plan has other fields: an older worker leaves a newer plan alone, a newer one plans again. */
export const PLAN_SCHEMA = 2;

/** The immutable decision record of a job. What it says depends on the source and the options only. */
export interface Plan {
  readonly schema: typeof PLAN_SCHEMA;
  readonly jobId: string;
  readonly assetId: string;
  readonly source: SourceObject;
  /** The asset's title unless somebody gave it another one: see core/catalog/pointer.ts. */
  readonly title: string;
  readonly media: SourceMedia;
  readonly durationSeconds: number;
  /** The container's timestamp that is shown as time zero. */
  readonly originSeconds: number;
  /** Exact segment durations follow from the grid; a plan for sound alone has a grid of 50 frames/s and no renditions. */
  readonly grid: Grid;
  readonly renditions: readonly Rendition[];
  readonly skipped: readonly Skipped[];
  readonly audio: readonly AudioTrack[];
  /** Streams of the source that the asset has nothing of. */
  readonly leftOut: readonly LeftOut[];
  readonly images: ImagePlan;
  readonly units: readonly Unit[];
  /** x264's effort and quality. */
  readonly encoder: { readonly preset: string; readonly crf: number };
}

export interface PlanRequest {
  readonly jobId: string;
  readonly assetId: string;
  readonly source: SourceObject;
  readonly title: string;
  readonly media: SourceMedia;
  readonly ladder: readonly Rung[];
  readonly encoder: Plan['encoder'];
}

/** Sound alone has no frames of its own; a fiftieth of a second borders its segments exactly. */
const SOUND_RATE = rational(50, 1);

/** Decides everything about an asset, from the facts of its source. */
export function planAsset(request: PlanRequest): Plan {
  const { jobId, assetId, source, title, media, ladder, encoder } = request;
  const { video } = media;
  const origin = originSeconds(media);
  const end = media.startSeconds + media.durationSeconds;
  const durationSeconds = Math.round((end - origin) * 1e6) / 1e6;
  const grid = makeGrid(video ? gridRate(video.rates) : SOUND_RATE, durationSeconds);
  const { renditions, skipped } = video
    ? selectRenditions(video.display, grid.rate, ladder)
    : { renditions: [], skipped: [] };
  const [largest] = renditions;
  const images = largest
    ? planImages(largest, durationSeconds)
    : planSoundImages(media.cover?.display);
  const audio = planTracks(media.audio);
  return {
    ...{
      schema: PLAN_SCHEMA,
      jobId,
      assetId,
      source,
      title,
      media,
      durationSeconds,
      originSeconds: origin,
      grid,
      renditions,
      skipped,
      audio,
      leftOut: [...media.leftOut, ...tracksLeftOut(media.audio, audio)],
      images,
    },
    units: planUnits(grid, renditions, audio),
    encoder,
  };
}

/**
 * Names the files that a plan publishes, 16 hex digits: the same source, options and settings give the same
 * version, whatever job asked for it. The title is in none of these files, so that it can change without them.
 */
export function planVersion(plan: Plan): string {
  // In the order of the schema: the same for a plan that was just made as for one that was read back.
  const { jobId: _job, title: _title, ...decided } = parsePlan(plan);
  return createHash('sha256').update(JSON.stringify(decided)).digest('hex').slice(0, 16);
}

/** Images come first, as they are the quickest; the chunks of a long source are shared by all workers. */
function planUnits(
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

function planTracks(streams: readonly SourceAudio[]): readonly AudioTrack[] {
  const chosen = streams.find((stream) => stream.default) ?? streams[0];
  const others = streams.filter((stream) => stream !== chosen).slice(0, MAX_AUDIO_TRACKS - 1);
  const kept = streams.filter((stream) => stream === chosen || others.includes(stream));
  const labels = new Set<string>();
  return kept.map((stream, track) => {
    const label = uniqueLabel(stream, labels);
    labels.add(label);
    const mono = stream.channels === 1;
    const gains = stereoGains(stream);
    return {
      name: `audio-${track}`,
      streams: stream.streams.map(({ index }, place) => ({
        index,
        ...(gains?.[place] ? { gains: gains[place] } : {}),
      })),
      language: stream.language,
      label,
      default: stream === chosen,
      channels: mono ? 1 : 2,
      // Apple's table: stereo AAC between 32 and 160 kbit/s.
      bitRate: mono ? 96_000 : 128_000,
    };
  });
}

function tracksLeftOut(
  sounds: readonly SourceAudio[],
  tracks: readonly AudioTrack[],
): readonly LeftOut[] {
  const kept = new Set(tracks.flatMap(({ streams }) => streams.map(({ index }) => index)));
  return sounds.flatMap(({ streams, codec, language }) =>
    streams
      .filter(({ index }) => !kept.has(index))
      .map(({ index }) => ({
        ...{ stream: index, what: 'sound' as const, codec, reason: 'too_many_tracks' as const },
        ...(language === 'und' ? {} : { language }),
      })),
  );
}

/** A quoted string of a playlist holds neither quotes nor line ends. */
function uniqueLabel({ title, language }: SourceAudio, taken: ReadonlySet<string>): string {
  const name = title
    ?.replace(/["\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 80)
    // A cut does not leave half of a surrogate pair.
    .replace(/[\ud800-\udbff]$/, '');
  const label = name || languageName(language);
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? label : `${label} ${count}`;
    if (!taken.has(candidate)) return candidate;
  }
}

function languageName(language: string): string {
  if (language === 'und') return 'Audio';
  return new Intl.DisplayNames('en', { type: 'language' }).of(language) ?? language;
}

const size = { width: z.number().int().positive(), height: z.number().int().positive() };
const count = z.number().int().min(0);
const fraction = z.object({ num: count, den: z.number().int().positive() });
const name = z.string().min(1);

const video = z.object({
  index: count,
  codec: name,
  display: z.object(size),
  turn: z.enum(TURNS),
  rates: z.object({
    average: fraction.exactOptional(),
    base: fraction.exactOptional(),
    pace: z.number().positive().exactOptional(),
  }),
  variableFrameRate: z.boolean(),
  fieldOrder: z.enum(['progressive', 'top_first', 'bottom_first']),
  fieldsFlagged: z.boolean(),
  resized: z.boolean(),
  transfer: z.enum(['sdr', 'pq', 'hlg']),
  bitDepth: count,
  rgb: z.boolean(),
  alpha: z.boolean(),
  colorPrimaries: z.string().exactOptional(),
  colorTransfer: z.string().exactOptional(),
  colorMatrix: z.string().exactOptional(),
  colorRange: z.enum(['tv', 'pc']).exactOptional(),
});

const planSchema: z.ZodType<Plan> = z.object({
  schema: z.literal(PLAN_SCHEMA),
  jobId: name,
  assetId: name,
  source: z.object({ bucket: name, key: name, etag: name, sizeBytes: count }),
  title: z.string(),
  media: z.object({
    demuxer: name,
    opening: z.object({ late: z.boolean(), ignoreEdits: z.boolean() }),
    sizeBytes: count,
    startSeconds: z.number(),
    durationSeconds: z.number().positive(),
    pictureSeconds: z.number().exactOptional(),
    video: video.exactOptional(),
    cover: video.exactOptional(),
    audio: z.array(
      z.object({
        streams: z.array(z.object({ index: count, channels: count })),
        codec: name,
        channels: count,
        speakers: z.array(name).exactOptional(),
        sampleRate: count,
        language: name,
        title: z.string().exactOptional(),
        default: z.boolean(),
      }),
    ),
    leftOut: leftOutSchema,
  }),
  durationSeconds: z.number().positive(),
  originSeconds: z.number(),
  grid: z.object({
    rate: fraction,
    frames: z.number().int().positive(),
    gopFrames: z.number().int().positive(),
    segmentFrames: z.number().int().positive(),
  }),
  renditions: z.array(z.object({ name, ...size, maxBitRate: count, bufferBits: count })),
  skipped: z.array(skippedSchema),
  audio: z.array(
    z.object({
      name,
      streams: z.array(
        z.object({
          index: count,
          gains: z
            .object({ left: z.array(z.number()), right: z.array(z.number()) })
            .exactOptional(),
        }),
      ),
      language: name,
      label: name,
      default: z.boolean(),
      channels: z.union([z.literal(1), z.literal(2)]),
      bitRate: count,
    }),
  ),
  leftOut: leftOutSchema,
  images: z.object({
    thumbnails: z.array(z.object(size)),
    poster: z.object(size),
    storyboard: z
      .object({
        tile: z.object(size),
        columns: count,
        rows: count,
        intervalSeconds: z.number().positive(),
        tiles: z.number().int().positive(),
      })
      .exactOptional(),
  }),
  units: z.array(
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('video'),
        name,
        firstFrame: count,
        frames: count,
        firstSegment: count,
        segments: count,
      }),
      z.object({ kind: z.literal('audio'), name, track: name }),
      z.object({ kind: z.literal('images'), name: z.literal('images') }),
    ]),
  ),
  encoder: z.object({ preset: name, crf: count }),
});

/** Reads a plan back from the store. Throws ZodError, which names every field that is wrong. */
export function parsePlan(json: unknown): Plan {
  return planSchema.parse(json);
}
