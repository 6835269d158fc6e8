import { z } from 'zod';
import type { Logger } from '../log.ts';
import type { JobRef } from '../model/job.ts';
import { DELETED_PREFIX, assetPrefix, deletedKeys, jobKeys, titleKey } from '../model/keys.ts';
import { readDocument, writeDocument } from '../storage/documents.ts';
import { inParallel } from '../storage/in-parallel.ts';
import type { ObjectStore } from '../storage/ports.ts';
import type { Catalog } from './catalog.ts';

/** Parallel deletions. */
const CONCURRENCY = 16;
/** Longer than the 14 days for which a queue keeps messages of a deleted job. */
const MARK_MILLISECONDS = 15 * 24 * 3_600_000;

const markSchema = z.object({ assetId: z.string() });
const parseMark = (json: unknown) => markSchema.parse(json);

/**
 * Marks an asset and its jobs as deleted. Call this before deleting their objects: a worker that is busy with one of
 * the jobs finds the mark when it begins or ends its work, and removes what it has written.
 */
export async function markDeleted(
  { store, config }: Catalog<'WORK_BUCKET'>,
  assetId: string,
  jobIds: readonly string[],
): Promise<void> {
  const keys = [deletedKeys.asset(assetId), ...jobIds.map((jobId) => deletedKeys.job(jobId))];
  for (const key of keys)
    await writeDocument(store, config.WORK_BUCKET, key, { assetId }, parseMark);
}

/** Whether a job or its asset was deleted. */
export async function isDeleted(
  { store, config }: Catalog<'WORK_BUCKET' | 'DELIVERY_BUCKET'>,
  { jobId, assetId }: Pick<JobRef, 'jobId' | 'assetId'>,
): Promise<boolean> {
  for (const key of [deletedKeys.job(jobId), deletedKeys.asset(assetId)]) {
    if (await store.head(config.WORK_BUCKET, key)) return true;
  }
  return false;
}

/**
 * Removes what is left of a deleted job and its asset. Resolves to false when the job was not deleted. Call this
 * after writing objects of a job: the deletion may have listed them before they were written.
 */
export async function purgeIfDeleted(
  services: Catalog<'WORK_BUCKET' | 'DELIVERY_BUCKET'>,
  jobId: string,
  { log }: { readonly log: Logger },
): Promise<boolean> {
  const { store, config } = services;
  const mark = await readDocument(store, config.WORK_BUCKET, deletedKeys.job(jobId), parseMark);
  if (!mark) return false;
  log.info({ event: 'job.deleted', jobId });
  await deletePrefix(store, config.WORK_BUCKET, jobKeys(jobId).prefix);
  // If the same file was uploaded again, the asset belongs to another job.
  if (await store.head(config.WORK_BUCKET, deletedKeys.asset(mark.assetId))) {
    await store.delete(config.WORK_BUCKET, titleKey(mark.assetId));
    await deletePrefix(store, config.DELIVERY_BUCKET, assetPrefix(mark.assetId));
  }
  return true;
}

/**
 * Runs the work on a job. If the job is deleted meanwhile, this removes the files that the work has written, and
 * resolves even if the work failed.
 */
export async function unlessDeleted(
  services: Catalog<'WORK_BUCKET' | 'DELIVERY_BUCKET'>,
  jobId: string,
  context: { readonly log: Logger },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (await purgeIfDeleted(services, jobId, context)) return;
    throw error;
  }
  await purgeIfDeleted(services, jobId, context);
}

/**
 * Whether to drop a requested job, because it was deleted after its source was uploaded. If the source was uploaded
 * again after the deletion, this removes the marks and resolves to false.
 */
export async function shouldDropJob(
  { store, config }: Catalog<'WORK_BUCKET' | 'DELIVERY_BUCKET'>,
  job: JobRef,
): Promise<boolean> {
  const keys = [deletedKeys.job(job.jobId), deletedKeys.asset(job.assetId)];
  const marks = [];
  for (const key of keys) marks.push(await store.head(config.WORK_BUCKET, key));
  const times = marks.flatMap((mark) => (mark ? [mark.lastModified.getTime()] : []));
  if (times.length === 0) return false;
  const source = await store.head(job.source.bucket, job.source.key);
  // S3's times have whole seconds, so an upload in the second of the deletion counts as later.
  if (!source || source.lastModified.getTime() < Math.max(...times)) return true;
  for (const key of keys) await store.delete(config.WORK_BUCKET, key);
  return false;
}

/** Removes the marks that are older than any message. */
export async function expireDeletionMarks({
  store,
  config,
}: Catalog<'WORK_BUCKET'>): Promise<void> {
  const before = Date.now() - MARK_MILLISECONDS;
  for await (const { key, lastModified } of store.list(config.WORK_BUCKET, DELETED_PREFIX)) {
    if (lastModified.getTime() < before) await store.delete(config.WORK_BUCKET, key);
  }
}

/** Deletes everything below a prefix. */
export async function deletePrefix(
  store: ObjectStore,
  bucket: string,
  prefix: string,
): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of store.list(bucket, prefix)) keys.push(key);
  await inParallel(keys, CONCURRENCY, (key) => store.delete(bucket, key));
}
