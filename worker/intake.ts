import { RejectedError } from './errors.ts';
import { createDocument, readDocument } from './io/documents.ts';
import { probeSource } from './io/probe.ts';
import { assetIdOf, jobIdOf } from './plan/ids.ts';
import { jobKeys } from './plan/keys.ts';
import { rungsNamed } from './plan/ladder.ts';
import { serialiseUnit } from './plan/message.ts';
import type { JobOptions, JobRequest } from './plan/message.ts';
import { parsePlan, planAsset } from './plan/plan.ts';
import type { Plan, SourceObject } from './plan/plan.ts';
import { titleOf } from './plan/title.ts';
import { readResult } from './report.ts';
import type { JobNames } from './report.ts';
import type { Context, Services } from './services.ts';

interface Job extends JobNames {
  readonly source: SourceObject;
  readonly options: JobOptions;
}

/** The address of a source is good for so long: the longest unit, a sound track of many hours, reads it throughout. */
export const ADDRESS_SECONDS = 12 * 3600;

/** From a request to its units: who it is, what its source holds, what is to be done. */
export const intake = { identify, isReported, plan: planJob, dispatch };

/**
 * Finds the object that a request means, and the ids that follow from it. Undefined when the object
 * has been replaced since: its own event is on its way. An object that is gone is still a job, for
 * its rejection.
 */
async function identify(services: Services, request: JobRequest): Promise<Job | undefined> {
  const { source, options } = request;
  const found = await services.store.head(source.bucket, source.key);
  const etag = source.etag ?? found?.etag ?? 'gone';
  if (found && found.etag !== etag) return undefined;
  const assetId = assetIdOf({ ...source, etag });
  const sizeBytes = found?.sizeBytes ?? -1;
  return {
    jobId: jobIdOf(assetId, options),
    assetId,
    source: { bucket: source.bucket, key: source.key, etag, sizeBytes },
    options,
  };
}

/** A job that ended well or was rejected needs no more work; one that failed may be tried again. */
async function isReported(services: Services, { jobId }: JobNames): Promise<boolean> {
  const result = await readResult(services, jobId);
  return result !== undefined && result.type !== 'asset.failed';
}

/** Probes and plans, once: of several workers at the same job, the first one's plan holds for all. */
async function planJob(services: Services, job: Job, { log, signal }: Context): Promise<Plan> {
  const { config, store } = services;
  const { jobId, assetId, source, options } = job;
  const read = () => readDocument(store, config.WORK_BUCKET, jobKeys(jobId).plan, parsePlan);
  const known = await read();
  if (known) return known;
  if (source.sizeBytes < 0) {
    throw new RejectedError(
      'source_gone',
      'The uploaded file is no longer there. Upload it again.',
    );
  }
  const media = await probeSource({
    address: await store.readAddress(source.bucket, source.key, ADDRESS_SECONDS),
    sizeBytes: source.sizeBytes,
    limits: {
      maxDurationSeconds: config.MAX_SOURCE_HOURS * 3600,
      maxSizeBytes: config.MAX_SOURCE_GIB * 2 ** 30,
      maxPicturePixels: config.MAX_PICTURE_MEGAPIXELS * 1e6,
    },
    soundOnly: options.soundOnly ?? false,
    ffprobe: config.FFPROBE,
    signal,
  });
  const plan = planAsset({
    ...{ jobId, assetId, source, media },
    title: titleOf(source.key, options.title),
    ladder: rungsNamed(options.ladder ?? config.LADDER),
    encoder: { preset: config.X264_PRESET, crf: config.X264_CRF },
  });
  if (!(await createDocument(store, config.WORK_BUCKET, jobKeys(jobId).plan, plan))) {
    return (await read()) ?? plan;
  }
  const { renditions, skipped, units } = plan;
  log.info({
    event: 'job.planned',
    source: source.key,
    durationSeconds: plan.durationSeconds,
    renditions: renditions.map(({ name }) => name),
    skipped,
    units: units.length,
  });
  return plan;
}

/** Sends the units on their way, once; a worker that dies in between sends some of them twice. */
async function dispatch(services: Services, plan: Plan, { log }: Context): Promise<void> {
  const { config, store, jobs } = services;
  const key = jobKeys(plan.jobId).dispatched;
  if (await store.head(config.WORK_BUCKET, key)) return;
  for (const { name } of plan.units) await jobs.send(serialiseUnit(plan.jobId, name));
  await createDocument(store, config.WORK_BUCKET, key, { units: plan.units.length });
  log.info({ event: 'job.dispatched', units: plan.units.length });
}
