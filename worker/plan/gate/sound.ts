import { filterValue } from '../filter-value.ts';
import type { AudioTrack } from '../plan.ts';
import type { Defect } from './defect.ts';

/**
 * How loud a sound is, window by window, between 400 Hz and 4 kHz. The deepest tones of a cinema have no
 * place in stereo, and AAC changes the highest; each octave above would double the cost.
 */
export interface Level {
  /** When the window begins, on the asset's clock. */
  readonly seconds: number;
  /** Of all channels together, decibels below full scale; -Infinity for silence. */
  readonly decibels: number;
}

const WINDOW_SECONDS = 0.1;
const RATE = 8_000;
const LOWEST = 400;
const KEY = 'lavfi.astats.Overall.RMS_level';

/** A file in the scratch folder: the levels of what went to the encoder. */
export const ENCODED_LEVELS = 'encoded.levels';

/** A file in the scratch folder: the levels of the track's stream at that place. */
export function sourceLevels(place: number): string {
  return `source-${place}.levels`;
}

/** Writes the levels of what passes to a file: https://ffmpeg.org/ffmpeg-filters.html#astats-1 */
export function levelsFilter(file: string): string {
  return [
    `aresample=${RATE},highpass=f=${LOWEST},highpass=f=${LOWEST}`,
    `asetnsamples=n=${RATE * WINDOW_SECONDS}:p=0`,
    'astats=metadata=1:reset=1:measure_perchannel=none:measure_overall=RMS_level',
    `ametadata=mode=print:key=${KEY}:file=${filterValue(file)}`,
  ].join(',');
}

/** Reads what `levelsFilter` wrote. */
export function parseLevels(text: string): readonly Level[] {
  const pattern = /^frame:.* pts_time:(\S+)\n[^=\n]*=(\S+)$/gm;
  return [...text.matchAll(pattern)].map(([, seconds, decibels]) => ({
    seconds: Number(seconds),
    decibels: decibels === '-inf' ? -Infinity : Number(decibels),
  }));
}

/** What a sound unit's run tells of its levels. */
export interface SoundReference {
  /** Of all the streams that it is made of. */
  readonly source: readonly Level[];
  /** Of what went to the encoder. */
  readonly encoded: readonly Level[];
  /** Of what the segments hold. */
  readonly decoded: readonly Level[];
}

/** Decibels: what is loud in the source is not silent in the asset, also mixed down. */
const LOUD = -50;
const SILENT = -70;
/** Decibels by which the encoder may weaken what is loud, and what it may add before a bang. */
const WEAKER = { above: -40, by: 6 };
const STRONGER = { above: -30, by: 12 };

/** Holds the levels of a track against those of its source: it is heard where the source is. */
export function checkLevels(
  track: AudioTrack,
  { source, encoded, decoded }: SoundReference,
): readonly Defect[] {
  const at = new Map(encoded.map((level) => [windowOf(level), level.decibels]));
  const heard = (window: number) => (at.get(window) ?? -Infinity) > SILENT;
  const last = windowOf(encoded.at(-1) ?? { seconds: 0 });
  const lost = source.filter((level) => {
    const window = windowOf(level);
    // What is before time zero or behind the end is cut off.
    if (level.decibels < LOUD || window < 1 || window >= last - 1) return false;
    return ![window - 1, window, window + 1, window + 2].some(heard);
  });
  const changed = encoded.slice(0, -1).filter(({ decibels }, index) => {
    const after = decoded[index]?.decibels ?? -Infinity;
    return (
      (decibels > WEAKER.above && after < decibels - WEAKER.by) ||
      (after > STRONGER.above && decibels < after - STRONGER.by)
    );
  });
  return [
    ...tell(track, 'sound_lost', lost, 'is silent where the source is not'),
    ...tell(track, 'sound_changed', changed, 'is louder or quieter than what was encoded'),
  ];
}

function tell(
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
