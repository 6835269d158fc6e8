import { z } from 'zod';
import { PoisonError, TransientError, UnreadableError } from '../core/model/errors.ts';
import { jobKeys } from '../core/model/keys.ts';
import { fetchDocument, parseDocument } from '../core/storage/documents.ts';
import { PLAN_SCHEMA, parsePlan } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import type { Services } from './services.ts';

export interface StoredPlan {
  readonly etag: string;
  /** UnreadableError if an older version wrote the plan, or if it is damaged. */
  readonly plan: Plan | UnreadableError;
}

/**
 * The stored plan of a job, or undefined if there is none. Throws TransientError if a newer version of the worker made
 * it, because its workers can read it.
 */
export async function findPlan(
  { store, config }: Services,
  jobId: string,
): Promise<StoredPlan | undefined> {
  const key = jobKeys(jobId).plan;
  const stored = await fetchDocument(store, config.WORK_BUCKET, key);
  if (!stored) return undefined;
  const { etag, text } = stored;
  try {
    return { etag, plan: parseDocument(`${config.WORK_BUCKET}/${key}`, text, parsePlan) };
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    if (isNewer(text)) {
      throw new TransientError('The plan was made by a newer version of the worker.', {
        cause: error,
      });
    }
    return { etag, plan: error };
  }
}

/**
 * The plan of a job. Throws PoisonError if there is none, because the job was removed; UnreadableError if it cannot be
 * read; and TransientError as `findPlan` does.
 */
export async function readPlan(services: Services, jobId: string): Promise<Plan> {
  const stored = await findPlan(services, jobId);
  if (!stored) throw new PoisonError(`Job ${jobId} has no plan: it was removed, or never made.`);
  if (stored.plan instanceof UnreadableError) throw stored.plan;
  return stored.plan;
}

function isNewer(text: string): boolean {
  const { data } = z.object({ schema: z.number() }).safeParse(jsonOf(text));
  return data !== undefined && data.schema > PLAN_SCHEMA;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
