import { z } from 'zod';

/** What the traced process is given to do. */
export type Batch = z.infer<typeof batchSchema>;

export const batchSchema = z.object({
  /** The one folder that may be written to. */
  directory: z.string(),
  seed: z.number(),
  first: z.number(),
  count: z.number(),
  /** The files with the first numbers are handled as they are. */
  whole: z.array(z.string()),
  /** Those that are spoiled for all other numbers. */
  sources: z.array(z.string()),
});

/** How a file ended: `ready`, a rejection's code, `failed` by the gate, `transient`, or `fault`. */
export type End = z.infer<typeof endSchema>;

export const endSchema = z.object({
  index: z.number(),
  path: z.string(),
  end: z.string(),
  why: z.string().optional(),
});
