import type { SourceAudio } from './media.ts';
import type { Gains } from './plan.ts';

/** An audio stream, as its container describes it. */
export interface SoundStream {
  readonly index: number;
  readonly codec: string;
  readonly channels: number;
  readonly sampleRate: number;
  readonly language: string;
  readonly title?: string;
  readonly default: boolean;
  /** ffprobe's `channel_layout`. */
  readonly layout?: string;
  /** ffprobe's dispositions other than `default`: `comment`, `dub` … */
  readonly roles: string;
  /** This and the duration are NaN if the container does not declare them. */
  readonly startSeconds: number;
  readonly durationSeconds: number;
}

/**
 * Groups the audio streams of a source into sounds. Cameras, editors and broadcasters often store each channel of a
 * sound as a separate stream, mostly mono; those streams become one sound. Streams that differ in language, codec,
 * sample rate, role, duration or title are alternatives.
 */
export function soundsOf(demuxer: string, streams: readonly SoundStream[]): readonly SourceAudio[] {
  const parts = streams.map((stream) => partOf(stream));
  const groups: Part[][] = [];
  for (const part of parts) {
    // On a DVD, one mono track is the film's sound and the others are commentaries.
    const group =
      demuxer === 'mpeg' ? undefined : groups.find(([first]) => mayShareSound(first, part));
    if (group) group.push(part);
    else groups.push([part]);
  }
  return groups
    .flatMap((group) => join(group))
    .sort(([one], [other]) => (one?.stream.index ?? 0) - (other?.stream.index ?? 0))
    .map((joined) => soundOf(joined));
}

/**
 * The left and right gains of each stream's channels, for sounds that ffmpeg cannot mix down to stereo by itself;
 * undefined if it can. ffmpeg mixes layouts of up to eight channels that have both front speakers and none overhead:
 * https://ffmpeg.org/doxygen/5.1/rematrix_8c_source.html
 */
export function stereoGains({
  streams,
  channels,
  speakers,
}: SourceAudio): readonly Gains[] | undefined {
  if (channels === 1) return undefined;
  const mixable = speakers?.every((speaker) => MIXED_BY_FFMPEG.has(speaker)) && isWhole(speakers);
  if (streams.length === 1 && channels <= 8 && (mixable || !speakers)) return undefined;
  const pairs = Array.from({ length: channels }, (_, channel) =>
    speakers ? gainsOf(speakers[channel] ?? '') : (UNLABELLED[channel] ?? BOTH),
  );
  const audible = pairs.some((pair) => pair.some((gain) => gain > 0))
    ? pairs
    : pairs.map(() => BOTH);
  const sides = [0, 1].map((side) => audible.map((pair) => pair[side] ?? 0));
  // The gains keep the power of uncorrelated channels; a limiter catches the peaks of correlated ones.
  const power = Math.max(...sides.map((side) => Math.hypot(...side)));
  const [left = [], right = []] = sides.map((side) =>
    side.map((gain) => Math.round((gain / power) * 1e4) / 1e4),
  );
  let end = 0;
  return streams.map((stream) => {
    const start = end;
    end += stream.channels;
    return { left: left.slice(start, end), right: right.slice(start, end) };
  });
}

/** The amplitude of half the power. */
const HALF = Math.SQRT1_2;
const BOTH: readonly number[] = [HALF, HALF];
const LEFT = [HALF, 0];
const RIGHT = [0, HALF];

/** Channels without names are independent tracks, of which the first two are the mix; later ones go to both sides. */
const UNLABELLED = [
  [1, 0],
  [0, 1],
];

/**
 * Left and right gains of each speaker, by ffmpeg's names. Surround speakers follow ITU-R BS.775, and overhead ones are
 * treated alike. Ambisonics (ACN, SN3D) become two cardioids that face left and right.
 */
const GAINS: Readonly<Record<string, readonly number[]>> = {
  ...{ FL: [1, 0], FR: [0, 1], DL: [1, 0], DR: [0, 1], FC: BOTH, FLC: [1, 0], FRC: [0, 1] },
  ...{ LFE: [0, 0], LFE2: [0, 0], BC: [0.5, 0.5], BL: LEFT, BR: RIGHT, SL: LEFT, SR: RIGHT },
  ...{ WL: LEFT, WR: RIGHT, SDL: LEFT, SDR: RIGHT, TC: [0.5, 0.5], TFC: [0.5, 0.5] },
  ...{ TFL: LEFT, TFR: RIGHT, TBL: LEFT, TBR: RIGHT, TSL: LEFT, TSR: RIGHT, TBC: [0.5, 0.5] },
  ...{ BFL: LEFT, BFR: RIGHT, BFC: [0.5, 0.5] },
  ...{ AMBI0: [0.5, 0.5], AMBI1: [0.5, -0.5] },
};

function gainsOf(speaker: string): readonly number[] {
  // The first ambisonic component holds the whole sound; the others only its directions.
  return GAINS[speaker] ?? (speaker.startsWith('AMBI') ? [0, 0] : BOTH);
}

/** The speakers that ffmpeg mixes down by itself. */
const MIXED_BY_FFMPEG = new Set('FL FR FC LFE BL BR FLC FRC BC SL SR'.split(' '));

/** Speakers of ffmpeg's layouts, in ffmpeg's order, as far as they are needed here. */
const LAYOUTS: Readonly<Record<string, string>> = {
  mono: 'FC',
  stereo: 'FL+FR',
  downmix: 'DL+DR',
  cube: 'FL+FR+BL+BR+TFL+TFR+TBL+TBR',
  '3.1.2': 'FL+FR+FC+LFE+TFL+TFR',
  '5.1.2': 'FL+FR+FC+LFE+BL+BR+TFL+TFR',
  '5.1.2(back)': 'FL+FR+FC+LFE+BL+BR+TFL+TFR',
  '5.1.4': 'FL+FR+FC+LFE+BL+BR+TFL+TFR+TBL+TBR',
  '7.1(top)': 'FL+FR+FC+LFE+BL+BR+TFL+TFR',
  '7.1.2': 'FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR',
  '7.1.4': 'FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR+TBL+TBR',
  '7.2.3': 'FL+FR+FC+LFE+BL+BR+SL+SR+TFL+TFR+TBC+LFE2',
  '9.1.4': 'FL+FR+FC+LFE+BL+BR+FLC+FRC+SL+SR+TFL+TFR+TBL+TBR',
  '9.1.6': 'FL+FR+FC+LFE+BL+BR+FLC+FRC+SL+SR+TFL+TFR+TBL+TBR+TSL+TSR',
  hexadecagonal: 'FL+FR+FC+BL+BR+BC+SL+SR+TFL+TFC+TFR+TBL+TBC+TBR+WL+WR',
  '22.2': 'FL+FR+FC+LFE+BL+BR+FLC+FRC+BC+SL+SR+TC+TFL+TFC+TFR+TBL+TBC+TBR+LFE2+TSL+TSR+BFC+BFL+BFR',
};

/** The order of channels without names, by SMPTE ST 2067-8. */
const DEFAULT_ORDERS: Readonly<Record<number, readonly string[]>> = {
  2: ['FL', 'FR'],
  6: ['FL', 'FR', 'FC', 'LFE', 'SL', 'SR'],
  8: ['FL', 'FR', 'FC', 'LFE', 'SL', 'SR', 'BL', 'BR'],
};

/** A stream that may form a sound with others. */
interface Part {
  readonly stream: SoundStream;
  readonly speakers?: readonly string[];
  /** The title without the name of a channel. */
  readonly title: string;
}

/** Titles that editors give to a single channel: `Mix, left`, `Front Left`, `Ch 1 (R)`. */
const CHANNEL_WORD =
  /^(.*?)[\s_,:([-]*\b(front left|left front|left|fl|l|front right|right front|right|fr|r|front center|front centre|center|centre|fc|c|lfe|sub|left surround|surround left|side left|ls|sl|right surround|surround right|side right|rs|sr|back left|rear left|bl|back right|rear right|br|left total|lt|right total|rt)[)\]]?$/i;

const CHANNEL_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(left total|lt)$/, 'DL'],
  [/^(right total|rt)$/, 'DR'],
  [/^(left surround|surround left|side left|ls|sl)$/, 'SL'],
  [/^(right surround|surround right|side right|rs|sr)$/, 'SR'],
  [/^(back left|rear left|bl)$/, 'BL'],
  [/^(back right|rear right|br)$/, 'BR'],
  [/^(lfe|sub)$/, 'LFE'],
  [/left|^f?l$/, 'FL'],
  [/right|^f?r$/, 'FR'],
  [/./, 'FC'],
];

function partOf(stream: SoundStream): Part {
  const declared = speakersOf(stream.layout, stream.channels);
  const word = stream.channels === 1 ? CHANNEL_WORD.exec(stream.title ?? '') : null;
  const named = CHANNEL_NAMES.find(([name]) => name.test(word?.[2]?.toLowerCase() ?? ''))?.[1];
  // A track without an assigned speaker is declared as mono.
  const speakers = named && isMono(declared) ? [named] : declared;
  const title = (word?.[1] ?? stream.title ?? '').replace(/[\s#_-]*\d+$/, '').trim();
  return { stream, title, ...(speakers ? { speakers } : {}) };
}

function speakersOf(layout = '', channels: number): readonly string[] | undefined {
  const [, order, stereo] = /^ambisonic (\d+)(\+stereo)?$/.exec(layout) ?? [];
  if (order !== undefined) {
    const components = Array.from({ length: (Number(order) + 1) ** 2 }, (_, at) => `AMBI${at}`);
    return [...components, ...(stereo ? ['FL', 'FR'] : [])];
  }
  const listed = /\(([A-Z0-9]+(?:\+[A-Z0-9]+)*)\)$/.exec(layout)?.[1] ?? LAYOUTS[layout];
  const speakers = listed?.split('+');
  return speakers?.length === channels ? speakers : undefined;
}

/** True if two streams can be channels of one sound. */
function mayShareSound(one: Part | undefined, other: Part): boolean {
  if (!one || one.title !== other.title) return false;
  const [a, b] = [one.stream, other.stream];
  const same = (['codec', 'sampleRate', 'language', 'roles'] as const).every(
    (name) => a[name] === b[name],
  );
  return same && overlap(a, b) > 0.8;
}

/** The share of the time in which both streams are heard; 1 if their times are not declared. */
function overlap(one: SoundStream, other: SoundStream): number {
  const starts = [one.startSeconds || 0, other.startSeconds || 0] as const;
  const ends = [starts[0] + one.durationSeconds, starts[1] + other.durationSeconds] as const;
  const share =
    (Math.min(...ends) - Math.max(...starts)) / (Math.max(...ends) - Math.min(...starts));
  return Number.isFinite(share) ? share : 1;
}

/** Joins those streams of a group whose channels complete each other. */
function join(group: readonly Part[]): readonly (readonly Part[])[] {
  const layouts: Part[][] = [];
  for (const part of group) {
    const layout = layouts.at(-1);
    if (layout && completes(layout, part)) layout.push(part);
    else layouts.push([part]);
  }
  const joined = layouts.filter((layout) => layout.length > 1 && layout.some(isPartial));
  const rest = group.filter((part) => !joined.flat().includes(part));
  const mono = rest.filter(({ speakers, stream }) => stream.channels === 1 && isMono(speakers));
  // Any other even number of streams is stereo pairs: a mix, then music and effects, or unused inputs of a camera.
  const size = DEFAULT_ORDERS[mono.length] ? mono.length : mono.length % 2 === 0 ? 2 : 1;
  const ordered = mono
    .filter((_, at) => at % size === 0)
    .map((_, at) =>
      mono
        .slice(at * size, at * size + size)
        .map((part, channel) =>
          size === 1 ? part : { ...part, speakers: [DEFAULT_ORDERS[size]?.[channel] ?? 'FC'] },
        ),
    );
  const alone = rest.filter((part) => !mono.includes(part)).map((part) => [part]);
  return [...joined, ...ordered, ...alone];
}

function completes(layout: readonly Part[], { speakers }: Part): boolean {
  const taken = layout.flatMap((part) => part.speakers ?? []);
  if (!speakers || taken.length === 0) return false;
  // A stereo mix (Lt, Rt) can accompany the surround sound that it was made of.
  const isMix = (names: readonly string[]) => names.some((name) => name.startsWith('D'));
  return isMix(taken) === isMix(speakers) && !speakers.some((name) => taken.includes(name));
}

/** True for channels that are not a complete layout by themselves. */
function isPartial({ speakers }: Part): boolean {
  return speakers !== undefined && !isMono(speakers) && !isWhole(speakers);
}

function isWhole(speakers: readonly string[]): boolean {
  return speakers.includes('FL') && speakers.includes('FR');
}

function isMono(speakers: readonly string[] | undefined): boolean {
  return !speakers || (speakers.length === 1 && speakers[0] === 'FC');
}

function soundOf(parts: readonly Part[]): SourceAudio {
  const [first] = parts;
  if (!first) throw new Error('A sound has no stream.');
  const { codec, sampleRate, language, title } = first.stream;
  const known = parts.every(({ speakers }) => speakers);
  const name = parts.length === 1 ? title : first.title;
  return {
    streams: parts.map(({ stream: { index, channels } }) => ({ index, channels })),
    codec,
    channels: parts.reduce((sum, { stream }) => sum + stream.channels, 0),
    ...(known ? { speakers: parts.flatMap(({ speakers }) => speakers ?? []) } : {}),
    sampleRate,
    language,
    ...(name ? { title: name } : {}),
    default: parts.some(({ stream }) => stream.default),
  };
}
