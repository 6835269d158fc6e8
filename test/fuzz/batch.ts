import { z } from 'zod';

/** The task of the traced process. */
export type Batch = z.infer<typeof batchSchema>;

export const batchSchema = z.object({
  /** The only folder that it may write to. */
  directory: z.string(),
  seed: z.number(),
  first: z.number(),
  count: z.number(),
  /** Files that are handled intact; they have the first numbers. */
  whole: z.array(z.string()),
  /** Files that are corrupted, for all other numbers. */
  sources: z.array(z.string()),
});

/** The result of a file: `ready`, a rejection's code, `failed` by the quality gate, `transient`, or `fault`. */
export type End = z.infer<typeof endSchema>;

export const endSchema = z.object({
  index: z.number(),
  path: z.string(),
  end: z.string(),
  why: z.string().optional(),
});
