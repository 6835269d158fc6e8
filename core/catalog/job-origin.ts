import { z } from 'zod';
import { assetIdOf, jobIdOf } from '../model/ids.ts';
import type { JobRef } from '../model/job.ts';
import { jobKeys } from '../model/keys.ts';
import type { JobOptions, JobRequest } from '../model/message.ts';
import { fetchDocument } from '../storage/documents.ts';
import type { Catalog } from './catalog.ts';

/**
 * Recovers the request of a job whose plan cannot be read: from the readable part of the plan or, without one, from
 * the source bucket. Resolves to undefined when the options are not known.
 */
export async function recoverRequest(
  { store, config }: Catalog<'SOURCE_BUCKET' | 'WORK_BUCKET'>,
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

/** Finds the asset and the source of a job, even if its plan cannot be read. */
export async function identifyJob(
  catalog: Catalog<'SOURCE_BUCKET' | 'WORK_BUCKET'>,
  jobId: string,
): Promise<JobRef> {
  const { store, config } = catalog;
  const stored = await fetchDocument(store, config.WORK_BUCKET, jobKeys(jobId).plan);
  const origin = stored && originOf(stored.text);
  if (origin) return { jobId, assetId: origin.assetId, source: origin.source };
  const source = (await recoverRequest(catalog, jobId))?.source;
  const { bucket = config.SOURCE_BUCKET, key = '', etag = '' } = source ?? {};
  // Without a source the asset's id is unknown. Waiting commands use the job's id.
  return {
    jobId,
    assetId: source ? assetIdOf({ bucket, key, etag }) : jobId,
    source: { bucket, key },
  };
}

const originSchema = z.object({
  assetId: z.string().min(1),
  source: z.object({ bucket: z.string(), key: z.string(), etag: z.string() }),
});

/** The fields of a plan that identify its source. Plans of every version have them. */
type PlanOrigin = z.infer<typeof originSchema>;

/** Undefined when not even this part of the plan can be read. */
function originOf(text: string): PlanOrigin | undefined {
  return originSchema.safeParse(jsonOf(text)).data;
}

/** Finds the options by trying those that give the job's id. A selection of rungs is not tried. */
function optionsOf(jobId: string, { assetId }: PlanOrigin): JobOptions | undefined {
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
