import type { SourceAudio } from './media.ts';
import type { Gains } from './plan.ts';

/** One stream of sound, as its container describes it. */
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
  /** ffprobe's dispositions apart from the default one: a comment, a dub … */
  readonly roles: string;
  /** NaN where the container does not say. */
  readonly startSeconds: number;
  readonly durationSeconds: number;
}

/**
 * The sounds of a source. Cameras, editors and broadcasters write the channels of one sound as
 * streams of their own, mostly mono; those streams become one sound. Streams that differ in language,
 * codec, sample rate, role, length or title are alternatives.
 */
export function soundsOf(demuxer: string, streams: readonly SoundStream[]): readonly SourceAudio[] {
  const parts = streams.map((stream) => partOf(stream));
  const groups: Part[][] = [];
  for (const part of parts) {
    // The mono tracks of a DVD are a film and its commentaries.
    const group = demuxer === 'mpeg' ? undefined : groups.find(([first]) => alike(first, part));
    if (group) group.push(part);
    else groups.push([part]);
  }
  return groups
    .flatMap((group) => join(group))
    .sort(([one], [other]) => (one?.stream.index ?? 0) - (other?.stream.index ?? 0))
    .map((joined) => soundOf(joined));
}

/**
 * How loud the channels of each stream are on the left and on the right, for sounds that ffmpeg cannot
 * mix down by itself; undefined where it can. It knows rooms of up to eight channels that have both
 * front speakers and nothing overhead: https://ffmpeg.org/doxygen/5.1/rematrix_8c_source.html
 */
export function stereoGains({
  streams,
  channels,
  speakers,
}: SourceAudio): readonly Gains[] | undefined {
  if (channels === 1) return undefined;
  const room = speakers?.every((speaker) => FLOOR.has(speaker)) && isWhole(speakers);
  if (streams.length === 1 && channels <= 8 && (room || !speakers)) return undefined;
  const pairs = Array.from({ length: channels }, (_, channel) =>
    speakers ? gainsOf(speakers[channel] ?? '') : (UNLABELLED[channel] ?? BOTH),
  );
  const audible = pairs.some((pair) => pair.some((gain) => gain > 0))
    ? pairs
    : pairs.map(() => BOTH);
  const sides = [0, 1].map((side) => audible.map((pair) => pair[side] ?? 0));
  // As loud as its channels are when they differ; where they agree, a limiter catches the peaks.
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

/** Half of the power. */
const HALF = Math.SQRT1_2;
const BOTH: readonly number[] = [HALF, HALF];
const LEFT = [HALF, 0];
const RIGHT = [0, HALF];

/** Channels without a name are tracks side by side, and the first two are the mix. */
const UNLABELLED = [
  [1, 0],
  [0, 1],
];

/**
 * Left and right of each speaker, by ffmpeg's names; ITU-R BS.775 for those around, and the same for
 * those above. Of ambisonics (ACN, SN3D) two cardioids that look left and right.
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
  // The first component of ambisonics has every sound; the others only say from where.
  return GAINS[speaker] ?? (speaker.startsWith('AMBI') ? [0, 0] : BOTH);
}

/** What ffmpeg mixes down by itself. */
const FLOOR = new Set(['FL', 'FR', 'FC', 'LFE', 'BL', 'BR', 'FLC', 'FRC', 'BC', 'SL', 'SR']);

/** ffmpeg's names of layouts that are needed here, and the speakers in its order. */
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

/** The order of channels that come without a name, by SMPTE ST 2067-8. */
const USUAL: Readonly<Record<number, readonly string[]>> = {
  2: ['FL', 'FR'],
  6: ['FL', 'FR', 'FC', 'LFE', 'SL', 'SR'],
  8: ['FL', 'FR', 'FC', 'LFE', 'SL', 'SR', 'BL', 'BR'],
};

/** A stream that may be one of several that make a sound. */
interface Part {
  readonly stream: SoundStream;
  readonly speakers?: readonly string[];
  /** The title without the name of a channel. */
  readonly title: string;
}

/** `Mix, left`, `Front Left`, `Ch 1 (R)`: what editors call a track that is one channel. */
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
  const told = speakersOf(stream.layout, stream.channels);
  const word = stream.channels === 1 ? CHANNEL_WORD.exec(stream.title ?? '') : null;
  const named = CHANNEL_NAMES.find(([name]) => name.test(word?.[2]?.toLowerCase() ?? ''))?.[1];
  // Mono is what a track is called whose place in the room nobody has said.
  const speakers = named && isMono(told) ? [named] : told;
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

/** True where two streams can be channels of one sound. */
function alike(one: Part | undefined, other: Part): boolean {
  if (!one || one.title !== other.title) return false;
  const [a, b] = [one.stream, other.stream];
  const same = (['codec', 'sampleRate', 'language', 'roles'] as const).every(
    (name) => a[name] === b[name],
  );
  return same && overlap(a, b) > 0.8;
}

/** The share of the time in which both are heard; 1 where a container does not say. */
function overlap(one: SoundStream, other: SoundStream): number {
  const starts = [one.startSeconds || 0, other.startSeconds || 0] as const;
  const ends = [starts[0] + one.durationSeconds, starts[1] + other.durationSeconds] as const;
  const share =
    (Math.min(...ends) - Math.max(...starts)) / (Math.max(...ends) - Math.min(...starts));
  return Number.isFinite(share) ? share : 1;
}

/** Streams that are alike as sounds: those whose channels complete each other together. */
function join(group: readonly Part[]): readonly (readonly Part[])[] {
  const rooms: Part[][] = [];
  for (const part of group) {
    const room = rooms.at(-1);
    if (room && completes(room, part)) room.push(part);
    else rooms.push([part]);
  }
  const joined = rooms.filter((room) => room.length > 1 && room.some(isPartial));
  const rest = group.filter((part) => !joined.flat().includes(part));
  const mono = rest.filter(({ speakers, stream }) => stream.channels === 1 && isMono(speakers));
  // Any other even number is pairs: a mix, then music and effects, or what a camera left empty.
  const size = USUAL[mono.length] ? mono.length : mono.length % 2 === 0 ? 2 : 1;
  const usual = mono
    .filter((_, at) => at % size === 0)
    .map((_, at) =>
      mono
        .slice(at * size, at * size + size)
        .map((part, channel) =>
          size === 1 ? part : { ...part, speakers: [USUAL[size]?.[channel] ?? 'FC'] },
        ),
    );
  const alone = rest.filter((part) => !mono.includes(part)).map((part) => [part]);
  return [...joined, ...usual, ...alone];
}

function completes(room: readonly Part[], { speakers }: Part): boolean {
  const taken = room.flatMap((part) => part.speakers ?? []);
  if (!speakers || taken.length === 0) return false;
  // A mix for two speakers (Lt, Rt) lies beside the room that it was made of.
  const isMix = (names: readonly string[]) => names.some((name) => name.startsWith('D'));
  return isMix(taken) === isMix(speakers) && !speakers.some((name) => taken.includes(name));
}

/** True for channels that are no room by themselves. */
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
