import { z } from 'zod';

/** What is kept beside a job of a step that failed, for whoever reads the dead letters. */
export interface Evidence {
  readonly source: { readonly key: string };
  readonly error: string;
}

const evidenceSchema = z.object({ source: z.object({ key: z.string() }), error: z.string() });

/** Reads evidence back from the store. Throws ZodError, which names every field that is wrong. */
export function parseEvidence(json: unknown): Evidence {
  return evidenceSchema.parse(json);
}
