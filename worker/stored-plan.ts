import { PoisonError, TransientError, UnreadableError } from './errors.ts';
import { fetchDocument, parseDocument } from './io/documents.ts';
import { isNewer, optionsOf, originOf } from './plan/foreign-plan.ts';
import { assetIdOf, jobIdOf } from './plan/ids.ts';
import { jobKeys } from './plan/keys.ts';
import type { JobRequest } from './plan/message.ts';
import { parsePlan } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import type { JobNames } from './report.ts';
import type { Services } from './services.ts';

/** Where plans and sources lie. */
export interface Stored {
  readonly store: Services['store'];
  readonly config: Pick<Services['config'], 'SOURCE_BUCKET' | 'WORK_BUCKET'>;
}

export interface StoredPlan {
  readonly etag: string;
  /** Or why it cannot be read: an older version wrote it, or it is damaged. */
  readonly plan: Plan | UnreadableError;
}

/** A job's plan as it lies in the work bucket. Throws TransientError for a newer version's: its workers can read it. */
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
 * The plan of a job. Throws PoisonError when there is none: the unit's message outlived its job; and
 * UnreadableError, or TransientError as `findPlan` does, when it cannot be read.
 */
export async function readPlan(services: Services, jobId: string): Promise<Plan> {
  const stored = await findPlan(services, jobId);
  if (!stored) throw new PoisonError(`Job ${jobId} has no plan: it was removed, or never made.`);
  if (stored.plan instanceof UnreadableError) throw stored.plan;
  return stored.plan;
}

/**
 * How to ask for a job again whose plan cannot be read: from what can be read of the plan or, when
 * nothing can, from the source bucket. Undefined when its options are not known.
 */
export async function requestAgain(
  { store, config }: Stored,
  jobId: string,
): Promise<JobRequest | undefined> {
  const stored = await fetchDocument(store, config.WORK_BUCKET, jobKeys(jobId).plan);
  const origin = stored && originOf(stored.text);
  if (origin) {
    const options = optionsOf(jobId, origin);
    return options && { source: origin.source, options };
  }
  const bucket = config.SOURCE_BUCKET;
  for await (const { key, etag } of store.list(bucket, '')) {
    const source = { bucket, key, etag };
    if (jobIdOf(assetIdOf(source), {}) === jobId) return { source, options: {} };
  }
  return undefined;
}

/** What a job is called by, also when its plan cannot be read. */
export async function namesOf(services: Services, jobId: string): Promise<JobNames> {
  const { store, config } = services;
  const stored = await fetchDocument(store, config.WORK_BUCKET, jobKeys(jobId).plan);
  const origin = stored && originOf(stored.text);
  if (origin) return { jobId, assetId: origin.assetId, source: origin.source };
  const source = (await requestAgain(services, jobId))?.source;
  const { bucket = config.SOURCE_BUCKET, key = '', etag = '' } = source ?? {};
  // Whoever waits for the job waits by its own id.
  return {
    jobId,
    assetId: source ? assetIdOf({ bucket, key, etag }) : jobId,
    source: { bucket, key },
  };
}
