import * as z from 'zod';
import type { Parsed } from './schema.ts';

const NAMES = {
  picture: 'Pictures',
  sound: 'Sound',
  subtitles: 'Subtitles',
  attachment: 'Attached files',
  data: 'Data',
} as const;

const WHAT = Object.keys(NAMES) as (keyof typeof NAMES)[];

/** An asset has at most this many sound tracks. No menu shows more, and each one is an encoding of the whole length. */
export const MAX_AUDIO_TRACKS = 8;

const REASONS = {
  no_captions_yet: 'subtitles inside a file do not become captions yet',
  not_shown_or_heard: 'players can neither show nor play them',
  another_picture: 'an asset has one picture',
  cover_of_video: 'the poster is taken from the video',
  unusable_cover: 'the cover cannot be decoded, or is too large',
  too_many_tracks: `an asset has at most ${MAX_AUDIO_TRACKS} sound tracks`,
  unknown_codec: 'the codec is not supported',
  never_begins: 'the file announces it, but does not contain it',
  another_program: 'another programme of the recording was chosen',
  sound_only: 'only the sound was asked for',
} as const;

export const leftOutSchema = z.array(
  z.object({
    /** ffmpeg's index of the stream. */
    stream: z.number().int().min(0),
    what: z.enum(WHAT),
    /** ffmpeg's name of the codec, or the container's where ffmpeg has none. */
    codec: z.string().exactOptional(),
    /** BCP 47; absent where the file does not tell. */
    language: z.string().exactOptional(),
    reason: z.enum(Object.keys(REASONS) as (keyof typeof REASONS)[]),
  }),
);

/** A stream of the source that is not in the asset, and why. */
export type LeftOut = Parsed<typeof leftOutSchema>[number];

/** Sentences for the uploader, one for all streams of the same kind that were left out for the same reason. */
export function leftOutSentences(leftOut: readonly LeftOut[]): readonly string[] {
  const groups = Map.groupBy(leftOut, ({ what, reason }) => `${what} ${reason}`);
  return [...groups.values()].flatMap((group) => {
    const details = new Set(group.map(detail).filter((text) => text !== undefined));
    const which = details.size > 0 ? ` (${[...details].join(', ')})` : '';
    return group
      .slice(0, 1)
      .map(({ what, reason }) => `${NAMES[what]}${which} left out: ${REASONS[reason]}.`);
  });
}

const languages = new Intl.DisplayNames('en', { type: 'language' });

/** Distinguishes streams of a kind: sound and subtitles by their language, others by their codec. */
function detail({ what, language, codec }: LeftOut): string | undefined {
  const spoken = what === 'sound' || what === 'subtitles';
  return spoken && language !== undefined ? (languages.of(language) ?? language) : codec;
}
