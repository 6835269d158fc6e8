import { z } from 'zod';
import type { Parsed } from './schema.ts';
import { UNIT_KINDS, UNIT_KIND_NAMES } from './units.ts';

const outline = z.object({
  assetId: z.string(),
  title: z.string(),
  source: z.object({ key: z.string() }),
  grid: z.object({ frames: z.number() }),
  units: z.array(
    z.object({ kind: z.enum(UNIT_KIND_NAMES), name: z.string(), frames: z.number().optional() }),
  ),
});

/**
 * The part of a plan that tells whose job it is and how far the job is. A command that watches a job reads only this
 * part, because the plan may be the work of another version.
 */
export type Outline = Parsed<typeof outline>;

/** Reads the outline from a plan. Throws ZodError, which names every wrong field. */
export function parseOutline(json: unknown): Outline {
  return outline.parse(json);
}

/** The progress of a job. `done` is a share, 0 to 1, weighted by the costs of the units. */
export interface JobProgress {
  readonly done: number;
  readonly unitsDone: number;
  readonly units: number;
}

/** Adds up the finished units, and the shares (0 to 1) of the others from their notes. */
export function jobProgress(
  plan: Outline,
  finished: ReadonlySet<string>,
  notes: ReadonlyMap<string, number>,
): JobProgress {
  const parts = plan.units.map((unit) => {
    const cost = UNIT_KINDS[unit.kind].cost((unit.frames ?? 0) / plan.grid.frames);
    const share = finished.has(unit.name) ? 1 : Math.min(1, notes.get(unit.name) ?? 0);
    return { cost, share };
  });
  const total = parts.reduce((sum, { cost }) => sum + cost, 0);
  const done = parts.reduce((sum, { cost, share }) => sum + cost * share, 0);
  const unitsDone = plan.units.filter(({ name }) => finished.has(name)).length;
  return { done: total > 0 ? Math.min(1, done / total) : 0, unitsDone, units: plan.units.length };
}
