import * as z from 'zod';
import type { Parsed } from './schema.ts';

/** A rung of the ladder, named by its short side. The bit rate is in bits/s. */
export interface Rung {
  readonly name: string;
  readonly shortSide: number;
  readonly maxBitRate: number;
}

export const skippedSchema = z.object({
  rung: z.string(),
  reason: z.enum(['larger_than_source', 'same_size_as_another']),
});

/** A rung without a rendition, and why. */
export type Skipped = Parsed<typeof skippedSchema>;

/**
 * Rungs are defined by the short side, so that portrait video is treated like landscape video. The limits follow
 * Apple's table of average bit rates for 16:9 H.264 (HLS authoring specification, 1.25): 145, 365, 2000, 3000 to 4500
 * and 6000 to 7800 kbit/s. They are only limits: below them, constant quality decides how many bits a lecture takes.
 */
export const LADDER: readonly Rung[] = [
  { name: '1080p', shortSide: 1080, maxBitRate: 6_000_000 },
  { name: '720p', shortSide: 720, maxBitRate: 3_500_000 },
  { name: '540p', shortSide: 540, maxBitRate: 2_000_000 },
  { name: '360p', shortSide: 360, maxBitRate: 900_000 },
  { name: '234p', shortSide: 234, maxBitRate: 300_000 },
];

/** Selects rungs by their names, in the order of the ladder. */
export function rungsNamed(names: readonly string[]): readonly Rung[] {
  return LADDER.filter((rung) => names.includes(rung.name));
}
