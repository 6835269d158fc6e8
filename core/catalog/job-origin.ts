import { z } from 'zod';
import { assetIdOf, jobIdOf } from '../model/ids.ts';
import type { JobRef } from '../model/job.ts';
import { jobKeys } from '../model/keys.ts';
import type { JobOptions, JobRequest } from '../model/message.ts';
import { fetchDocument } from '../storage/documents.ts';
import type { Catalog } from './catalog.ts';

/**
 * How to ask for a job again whose plan cannot be read: from what can be read of the plan or, when
 * nothing can, from the source bucket. Undefined when its options are not known.
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

/** What a job is called by, also when its plan cannot be read. */
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
  // Whoever waits for the job waits by its own id.
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

/** What identifies the source in a plan of any version. */
type PlanOrigin = z.infer<typeof originSchema>;

/** The origin of a plan that cannot be read; undefined when not even that can. */
function originOf(text: string): PlanOrigin | undefined {
  return originSchema.safeParse(jsonOf(text)).data;
}

/** The options that a job was asked for with, as far as its id and its plan tell. */
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
