import type { Rung } from '../../core/model/ladder.ts';
import { MAX_AUDIO_TRACKS } from '../../core/model/left-out.ts';
import type { LeftOut } from '../../core/model/left-out.ts';
import { gridRate } from './frame-rate.ts';
import { makeGrid } from './grid.ts';
import type { SourceAudio, SourceMedia } from './media.ts';
import { originSeconds } from './phase.ts';
import { planImages, planSoundImages } from './plan-images.ts';
import { PLAN_SCHEMA } from './plan.ts';
import type { AudioTrack, Plan, SourceObject } from './plan.ts';
import { rational } from './rational.ts';
import { selectRenditions } from './renditions.ts';
import { stereoGains } from './sound.ts';
import { planUnits } from './units.ts';

export interface PlanRequest {
  readonly jobId: string;
  readonly assetId: string;
  readonly source: SourceObject;
  readonly title: string;
  readonly media: SourceMedia;
  readonly ladder: readonly Rung[];
  readonly encoder: Plan['encoder'];
}

/** The grid's frame rate for audio-only sources: it divides the segment duration exactly. */
const SOUND_RATE = rational(50, 1);

/** Makes all decisions about an asset from the facts about its source. */
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
    units: planUnits(grid, renditions, audio),
    encoder,
  };
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
      streams: stream.streams.map((one, position) => ({
        index: one.index,
        ...(gains?.[position] ? { gains: gains[position] } : {}),
      })),
      language: stream.language,
      label,
      default: stream === chosen,
      channels: mono ? 1 : 2,
      // Apple's authoring rules: stereo AAC between 32 and 160 kbit/s.
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
        stream: index,
        what: 'sound' as const,
        codec,
        reason: 'too_many_tracks' as const,
        ...(language === 'und' ? {} : { language }),
      })),
  );
}

/** Quoted strings in a playlist must not contain quotes or line ends. */
function uniqueLabel({ title, language }: SourceAudio, taken: ReadonlySet<string>): string {
  const name = title
    ?.replace(/["\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, 80)
    // `slice` may have split a surrogate pair.
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
