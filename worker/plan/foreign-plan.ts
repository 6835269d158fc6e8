import { z } from 'zod';
import { jobIdOf } from './ids.ts';
import type { JobOptions } from './message.ts';
import { PLAN_SCHEMA } from './plan.ts';

/** What another version's plan says of whose it is. */
export interface PlanOrigin {
  readonly assetId: string;
  readonly source: { readonly bucket: string; readonly key: string; readonly etag: string };
}

const originSchema = z.object({
  assetId: z.string().min(1),
  source: z.object({ bucket: z.string(), key: z.string(), etag: z.string() }),
});

/** The origin of a plan that cannot be read; undefined when not even that can. */
export function originOf(text: string): PlanOrigin | undefined {
  return originSchema.safeParse(jsonOf(text)).data;
}

/** True for the plan of a newer version, which its own workers can read. */
export function isNewer(text: string): boolean {
  const { data } = z.object({ schema: z.number() }).safeParse(jsonOf(text));
  return data !== undefined && data.schema > PLAN_SCHEMA;
}

/** The options that a job was asked for with, as far as its id and its plan tell. */
export function optionsOf(jobId: string, { assetId }: PlanOrigin): JobOptions | undefined {
  const possible: readonly JobOptions[] = [{}, { soundOnly: true }];
  return possible.find((options) => jobIdOf(assetId, options) === jobId);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
