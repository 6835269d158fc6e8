import { describeError, evidenceOf, writeEvidence } from '../core/catalog/evidence.ts';
import { readValidResult, writeResult } from '../core/catalog/results.ts';
import type { AssetEvent } from '../core/model/asset.ts';
import type { RejectedError } from '../core/model/errors.ts';
import type { JobRef } from '../core/model/job.ts';
import type { Context, Services } from './services.ts';

/**
 * Sends the event that ends a job, and keeps it as the job's result. The event goes first: if the worker dies in
 * between, it is sent twice rather than never.
 */
export async function report(
  services: Services,
  event: AssetEvent,
  { log }: Context,
): Promise<void> {
  await services.events.send(JSON.stringify(event));
  await writeResult(services, event);
  const { type } = event;
  if (type === 'asset.ready') {
    const { version, bytes, spentSeconds, durationSeconds } = event;
    // A new title alone takes no work, so it does not count in the metric.
    const spent =
      spentSeconds > 0 ? { secondsPerMinute: (60 * spentSeconds) / durationSeconds } : {};
    log.info({ event: type, version, bytes, ...spent });
  } else log.warn({ event: type, code: event.code, reason: event.reason, notMade: 1 });
}

export async function reportRejected(
  services: Services,
  job: JobRef,
  { code, message, cause }: RejectedError,
  context: Context,
): Promise<void> {
  if (cause !== undefined) context.log.info({ event: 'source.refused', code, err: cause });
  const event = { type: 'asset.rejected', ...names(job), code, reason: message } as const;
  await report(services, event, context);
}

/**
 * Reports a job as failed because one of its messages became a dead letter. Returning that message can still complete
 * it.
 */
export async function reportFailed(
  services: Services,
  job: JobRef,
  error: unknown,
  context: Context,
): Promise<void> {
  const known = await readValidResult(services, job.jobId);
  if (known && known.type !== 'asset.failed') return;
  const reason = `The video could not be processed. An administrator finds the cause in the dead letters. (${describeError(error).split('\n', 1)[0] ?? ''})`;
  await report(services, { type: 'asset.failed', ...names(job), code: 'failed', reason }, context);
}

/** Keeps the error beside the job, for the person who reads the dead letters. */
export async function keepEvidence(
  services: Services,
  job: JobRef,
  step: string,
  error: unknown,
  { log }: Context,
): Promise<void> {
  const evidence = evidenceOf(job, step, error);
  try {
    await writeEvidence(services, evidence);
  } catch (failure) {
    log.warn({ event: 'evidence.lost', evidence, err: failure });
  }
}

function names({ jobId, assetId, source: { bucket, key } }: JobRef) {
  return { jobId, assetId, source: { bucket, key } };
}
