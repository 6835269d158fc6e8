import { isReady, reopenJob } from '../core/catalog/results.ts';
import type { WorkerConfig } from '../core/environment.ts';
import type { AssetEvent } from '../core/model/asset.ts';
import { RejectedError, UnreadableError } from '../core/model/errors.ts';
import { assetIdOf, jobIdOf } from '../core/model/ids.ts';
import type { JobRef } from '../core/model/job.ts';
import { jobKeys } from '../core/model/keys.ts';
import { rungsNamed } from '../core/model/ladder.ts';
import { leftOutSentences } from '../core/model/left-out.ts';
import { serialiseUnit } from '../core/model/message.ts';
import type { JobOptions, JobRequest } from '../core/model/message.ts';
import type { RejectionCode } from '../core/model/rejections.ts';
import { storedTitle, titleOf } from '../core/model/title.ts';
import { createDocument } from '../core/storage/documents.ts';
import { probeSource } from './ffmpeg/probe.ts';
import type { SourceMedia } from './plan/media.ts';
import { planAsset } from './plan/plan-asset.ts';
import { parsePlan } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import { HEAD_BYTES, identifyByHead, refusalByHead } from './plan/signature.ts';
import type { PictureWanted } from './plan/source.ts';
import type { Context, Services } from './services.ts';
import { readHead, requireSource, withSource } from './source.ts';
import type { UploadedSource } from './source.ts';
import { findPlan } from './stored-plan.ts';

interface Job extends JobRef {
  readonly source: UploadedSource;
  readonly options: JobOptions;
}

/** Derives the ids of a job from its request. A source that is gone gets ids, too, so that it can be rejected. */
export async function jobFromRequest(
  { store }: Services,
  { source, options }: JobRequest,
): Promise<Job> {
  const { bucket, key } = source;
  const etag = source.etag ?? (await store.head(bucket, key))?.etag ?? 'gone';
  const assetId = assetIdOf({ bucket, key, etag });
  return { jobId: jobIdOf(assetId, options), assetId, source: { bucket, key, etag }, options };
}

/** After these results, a repeated request begins the job anew. */
const TEMPORARY_CODES = ['failed', 'source_gone', 'source_replaced'];

/**
 * Returns whether there is work to do, and removes the result of a job that is to run again: one that failed, one whose
 * source was missing, or one that is ready under another title.
 */
export async function reopenIfNeeded(
  services: Services,
  { jobId, options }: Job,
): Promise<boolean> {
  const isKept = (result: AssetEvent) =>
    result.type === 'asset.ready'
      ? isReady(result, options)
      : !TEMPORARY_CODES.includes(result.code);
  return (await reopenJob(services, jobId, isKept)) !== 'stands';
}

/**
 * Returns the plan of a job. Probes the source and writes the plan if there is none, or if it is unreadable. Returns
 * undefined if another worker wrote one meanwhile: that worker continues the job.
 */
export async function planJob(
  services: Services,
  job: Job,
  { log, signal }: Context,
): Promise<Plan | undefined> {
  const { config, store } = services;
  const { jobId, assetId, source, options } = job;
  const stored = await findPlan(services, jobId);
  if (stored && !(stored.plan instanceof UnreadableError)) return stored.plan;
  const { sizeBytes, metadata } = await requireSource(store, source);
  const media = await inspectSource(services, job, sizeBytes, signal);
  const plan = planAsset({
    jobId,
    assetId,
    media,
    source: { ...source, sizeBytes },
    title: titleOf(source.key, options.title ?? storedTitle(metadata)),
    ladder: rungsNamed(options.ladder ?? config.LADDER),
    encoder: { preset: config.X264_PRESET, crf: config.X264_CRF },
  });
  const keys = jobKeys(jobId);
  if (stored) {
    log.warn({ event: 'plan.replaced', err: stored.plan });
    // Deleted first, so that the units of the new plan are sent whatever happens next.
    await store.delete(config.WORK_BUCKET, keys.dispatched);
  }
  if (
    !(await createDocument(store, config.WORK_BUCKET, keys.plan, plan, parsePlan, stored?.etag))
  ) {
    return undefined;
  }
  const { renditions, skipped, leftOut, units } = plan;
  log.info({
    event: 'job.planned',
    source: source.key,
    durationSeconds: plan.durationSeconds,
    renditions: renditions.map(({ name }) => name),
    skipped,
    leftOut: leftOutSentences(leftOut),
    units: units.length,
  });
  return plan;
}

/** Probes a source. If ffprobe cannot open it, the signature in its first bytes may give a better reason. */
async function inspectSource(
  { config, store }: Services,
  { source, options }: Job,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<SourceMedia> {
  const head = await readHead(store, source, Math.min(sizeBytes, HEAD_BYTES), signal);
  const refusal = refusalByHead(head);
  if (refusal) throw refusal;
  const request = {
    sizeBytes,
    limits: {
      maxDurationSeconds: config.MAX_SOURCE_HOURS * 3600,
      maxSizeBytes: config.MAX_SOURCE_GIB * 2 ** 30,
      maxPicturePixels: config.MAX_PICTURE_MEGAPIXELS * 1e6,
    },
    picture: pictureWanted(config, options),
    ffmpeg: config.FFMPEG,
    ffprobe: config.FFPROBE,
  };
  try {
    return await withSource({ store, source, sizeBytes, signal }, (address, signal) =>
      probeSource({ ...request, address, signal }),
    );
  } catch (error) {
    const isVague = error instanceof RejectedError && VAGUE_CODES.has(error.code);
    throw (isVague && identifyByHead(head)) || error;
  }
}

/** Rejections for which the signature of the file may give a better reason. */
const VAGUE_CODES: ReadonlySet<RejectionCode> = new Set([
  'unreadable_source',
  'unsupported_source',
  'damaged_source',
]);

function pictureWanted({ SOUND_ALONE }: WorkerConfig, { soundOnly }: JobOptions): PictureWanted {
  if (soundOnly) return 'left_out';
  return SOUND_ALONE === 'taken' ? 'optional' : 'required';
}

/** Sends the messages of all units once. If the worker dies in between, some of them are sent twice. */
export async function dispatchUnits(
  services: Services,
  plan: Plan,
  { log }: Context,
): Promise<void> {
  const { config, store, jobs } = services;
  const key = jobKeys(plan.jobId).dispatched;
  if (await store.head(config.WORK_BUCKET, key)) return;
  await jobs.sendAll(plan.units.map(({ name }) => ({ body: serialiseUnit(plan.jobId, name) })));
  await createDocument(store, config.WORK_BUCKET, key, { units: plan.units.length }, unchecked);
  log.info({ event: 'job.dispatched', units: plan.units.length });
}

/** Only the existence of that document matters. */
const unchecked = (json: unknown) => json;
