import type { WorkerConfig } from '../core/environment.ts';
import { RejectedError, UnreadableError } from '../core/model/errors.ts';
import type { RejectionCode } from '../core/model/rejections.ts';
import { createDocument } from '../core/storage/documents.ts';
import { probeSource } from './ffmpeg/probe.ts';
import type { AssetEvent } from '../core/model/asset.ts';
import { assetIdOf, jobIdOf } from '../core/model/ids.ts';
import { jobKeys } from '../core/model/keys.ts';
import { leftOutSentences } from '../core/model/left-out.ts';
import { rungsNamed } from '../core/model/ladder.ts';
import { serialiseUnit } from '../core/model/message.ts';
import type { JobOptions, JobRequest } from '../core/model/message.ts';
import { parsePlan, planAsset } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import { HEAD_BYTES, nameByHead, refusalByHead } from './plan/signature.ts';
import type { PictureWanted, SourceMedia } from './plan/source.ts';
import { storedTitle, titleOf } from '../core/model/title.ts';
import { isReady, reopenJob } from '../core/catalog/results.ts';
import { isFinal } from './report.ts';
import type { JobRef } from '../core/model/job.ts';
import type { Context, Services } from './services.ts';
import { readHead, requireSource, withSource } from './source.ts';
import { findPlan } from './stored-plan.ts';
import type { UploadedSource } from './source.ts';

interface Job extends JobRef {
  readonly source: UploadedSource;
  readonly options: JobOptions;
}

/** From a request to its units: who it is, what its source holds, what is to be done. */
export const intake = { identify, reopen, plan: planJob, dispatch };

/** The ids that follow from a request; an object that is gone is still a job, for its rejection. */
async function identify({ store }: Services, { source, options }: JobRequest): Promise<Job> {
  const { bucket, key } = source;
  const etag = source.etag ?? (await store.head(bucket, key))?.etag ?? 'gone';
  const assetId = assetIdOf({ bucket, key, etag });
  return { jobId: jobIdOf(assetId, options), assetId, source: { bucket, key, etag }, options };
}

/**
 * True when the job is to be worked on. One that failed, or whose source was not there, is asked for
 * again: it is begun anew. One that is ready under another title is published again.
 */
async function reopen({ store, config }: Services, { jobId, options }: Job): Promise<boolean> {
  const stands = (result: AssetEvent) =>
    result.type === 'asset.ready' ? isReady(result, options) : isFinal(result);
  return (await reopenJob(store, config.WORK_BUCKET, jobId, stands)) !== 'stands';
}

/**
 * Probes and plans, once, and again when the plan cannot be read. Undefined when another worker has planned the same job meanwhile: the rest
 * of it is that worker's, too.
 */
async function planJob(
  services: Services,
  job: Job,
  { log, signal }: Context,
): Promise<Plan | undefined> {
  const { config, store } = services;
  const { jobId, assetId, source, options } = job;
  const stored = await findPlan(services, jobId);
  if (stored && !(stored.plan instanceof UnreadableError)) return stored.plan;
  const { sizeBytes, metadata } = await requireSource(store, source);
  const media = await lookAt(services, job, sizeBytes, signal);
  const plan = planAsset({
    ...{ jobId, assetId, media },
    source: { ...source, sizeBytes },
    title: titleOf(source.key, options.title ?? storedTitle(metadata)),
    ladder: rungsNamed(options.ladder ?? config.LADDER),
    encoder: { preset: config.X264_PRESET, crf: config.X264_CRF },
  });
  const keys = jobKeys(jobId);
  if (stored) {
    log.warn({ event: 'plan.replaced', err: stored.plan });
    // First, so that the new plan's units are sent whatever happens next.
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

/** What ffprobe finds in a source. Its first bytes say more of one that it does not open or understand. */
async function lookAt(
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
    const unnamed = error instanceof RejectedError && UNNAMED.has(error.code);
    throw (unnamed && nameByHead(head)) || error;
  }
}

/** Codes of sources whose first bytes may tell more of the cause. */
const UNNAMED: ReadonlySet<RejectionCode> = new Set([
  'unreadable_source',
  'unsupported_source',
  'damaged_source',
]);

function pictureWanted({ SOUND_ALONE }: WorkerConfig, { soundOnly }: JobOptions): PictureWanted {
  if (soundOnly) return 'left_out';
  return SOUND_ALONE === 'taken' ? 'optional' : 'required';
}

/** Sends the units on their way, once; a worker that dies in between sends some of them twice. */
async function dispatch(services: Services, plan: Plan, { log }: Context): Promise<void> {
  const { config, store, jobs } = services;
  const key = jobKeys(plan.jobId).dispatched;
  if (await store.head(config.WORK_BUCKET, key)) return;
  await jobs.sendAll(plan.units.map(({ name }) => ({ body: serialiseUnit(plan.jobId, name) })));
  await createDocument(store, config.WORK_BUCKET, key, { units: plan.units.length }, asItIs);
  log.info({ event: 'job.dispatched', units: plan.units.length });
}

/** Nobody reads that document: it is there or not. */
const asItIs = (json: unknown) => json;
