import { filterValue } from '../filter-value.ts';
import type { AudioTrack } from '../plan.ts';
import type { Defect } from './defect.ts';

/**
 * The loudness of one window between 400 Hz and 4 kHz. Low frequencies are excluded because a downmix drops the LFE
 * channel, and high ones because AAC changes them; each further octave would also double the cost.
 */
export interface Level {
  /** The start of the window, on the asset's clock. */
  readonly seconds: number;
  /** The RMS level of all channels in dBFS; -Infinity for silence. */
  readonly decibels: number;
}

const WINDOW_SECONDS = 0.1;
const RATE = 8_000;
const LOWEST = 400;
const KEY = 'lavfi.astats.Overall.RMS_level';

/** The file in the scratch folder with the levels of the encoder's input. */
export const ENCODED_LEVELS = 'encoded.levels';

/** The file in the scratch folder with the levels of a source stream, by its index in the track. */
export function sourceLevels(index: number): string {
  return `source-${index}.levels`;
}

/** A filter that writes the levels of its input to a file: https://ffmpeg.org/ffmpeg-filters.html#astats-1 */
export function levelsFilter(file: string): string {
  return [
    `aresample=${RATE},highpass=f=${LOWEST},highpass=f=${LOWEST}`,
    `asetnsamples=n=${RATE * WINDOW_SECONDS}:p=0`,
    'astats=metadata=1:reset=1:measure_perchannel=none:measure_overall=RMS_level',
    `ametadata=mode=print:key=${KEY}:file=${filterValue(file)}`,
  ].join(',');
}

/** Parses the output of `levelsFilter`. */
export function parseLevels(text: string): readonly Level[] {
  const pattern = /^frame:.* pts_time:(\S+)\n[^=\n]*=(\S+)$/gm;
  return [...text.matchAll(pattern)].map(([, seconds, decibels]) => ({
    seconds: Number(seconds),
    decibels: decibels === '-inf' ? -Infinity : Number(decibels),
  }));
}

/** The levels of a track at three stages. */
export interface SoundReference {
  /** All source streams of the track. */
  readonly source: readonly Level[];
  /** The encoder's input. */
  readonly encoded: readonly Level[];
  /** The decoded segments. */
  readonly decoded: readonly Level[];
}

/** dBFS. Sound above LOUD in the source must be above SILENT in the asset, even after a downmix. */
const LOUD = -50;
const SILENT = -70;
/**
 * Decibels. The encoder may attenuate sound by less than 6, and amplify it by less than 12 (pre-echo of a transient).
 */
const ATTENUATION = { above: -40, limit: 6 };
const AMPLIFICATION = { above: -30, limit: 12 };

/** Compares the levels of a track with those of its source, and the decoded levels with the encoder's input. */
export function checkLevels(
  track: AudioTrack,
  { source, encoded, decoded }: SoundReference,
): readonly Defect[] {
  const at = new Map(encoded.map((level) => [windowOf(level), level.decibels]));
  const isAudible = (window: number) => (at.get(window) ?? -Infinity) > SILENT;
  const last = windowOf(encoded.at(-1) ?? { seconds: 0 });
  const lost = source.filter((level) => {
    const window = windowOf(level);
    // Sound before time zero and after the end is cut off.
    if (level.decibels < LOUD || window < 1 || window >= last - 1) return false;
    return ![window - 1, window, window + 1, window + 2].some(isAudible);
  });
  const changed = encoded.slice(0, -1).filter(({ decibels }, index) => {
    const after = decoded[index]?.decibels ?? -Infinity;
    return (
      (decibels > ATTENUATION.above && after < decibels - ATTENUATION.limit) ||
      (after > AMPLIFICATION.above && decibels < after - AMPLIFICATION.limit)
    );
  });
  return [
    ...levelDefect(track, 'sound_lost', lost, 'is silent where the source is not'),
    ...levelDefect(
      track,
      'sound_changed',
      changed,
      "is louder or quieter than the encoder's input",
    ),
  ];
}

function levelDefect(
  { name }: AudioTrack,
  defect: 'sound_lost' | 'sound_changed',
  levels: readonly Level[],
  what: string,
): readonly Defect[] {
  const [first] = levels;
  if (!first) return [];
  const seconds = (levels.length * WINDOW_SECONDS).toFixed(1);
  const sentence = `${name} ${what}: ${seconds} s in all, first at ${first.seconds.toFixed(2)} s.`;
  return [{ name: defect, sentence }];
}

function windowOf({ seconds }: Pick<Level, 'seconds'>): number {
  return Math.floor(seconds / WINDOW_SECONDS + 1e-6);
}
