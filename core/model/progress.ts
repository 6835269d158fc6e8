import { z } from 'zod';

/**
 * What of a plan says whose job it is and how far. Who watches reads no more of it, as workers may be of another
 * version than the command that watches them.
 */
export interface Outline {
  readonly assetId: string;
  readonly title: string;
  readonly source: { readonly key: string };
  readonly grid: { readonly frames: number };
  readonly units: readonly (
    | { readonly kind: 'video'; readonly name: string; readonly frames: number }
    | { readonly kind: 'audio' | 'images'; readonly name: string }
  )[];
}

const outlineSchema: z.ZodType<Outline> = z.object({
  assetId: z.string(),
  title: z.string(),
  source: z.object({ key: z.string() }),
  grid: z.object({ frames: z.number() }),
  units: z.array(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('video'), name: z.string(), frames: z.number() }),
      z.object({ kind: z.enum(['audio', 'images']), name: z.string() }),
    ]),
  ),
});

/** Reads a plan's outline from the plan. Throws ZodError, which names every field that is wrong. */
export function parseOutline(json: unknown): Outline {
  return outlineSchema.parse(json);
}

/** How far a job is: 0 to 1, by what its units cost. */
export interface JobProgress {
  readonly done: number;
  readonly unitsDone: number;
  readonly units: number;
}

/** Sound costs about a hundredth of what one rendition's pictures do, images about a twentieth. */
const WEIGHT = { audio: 0.01, images: 0.05 };

/** Adds up what is done: markers count whole, notes (0 to 1 by unit) as far as they are. */
export function jobProgress(
  plan: Outline,
  finished: ReadonlySet<string>,
  notes: ReadonlyMap<string, number>,
): JobProgress {
  const parts = plan.units.map((unit) => {
    const cost = unit.kind === 'video' ? unit.frames / plan.grid.frames : WEIGHT[unit.kind];
    const share = finished.has(unit.name) ? 1 : Math.min(1, notes.get(unit.name) ?? 0);
    return { cost, share };
  });
  const total = parts.reduce((sum, { cost }) => sum + cost, 0);
  const done = parts.reduce((sum, { cost, share }) => sum + cost * share, 0);
  const unitsDone = plan.units.filter(({ name }) => finished.has(name)).length;
  return { done: total > 0 ? Math.min(1, done / total) : 0, unitsDone, units: plan.units.length };
}
