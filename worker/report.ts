import type { RejectedError } from '../core/model/errors.ts';
import type { AssetEvent } from '../core/model/asset.ts';
import type { JobRef } from '../core/model/job.ts';
import { describeError, evidenceOf, writeEvidence } from '../core/catalog/evidence.ts';
import { readValidResult, writeResult } from '../core/catalog/results.ts';
import type { Context, Services } from './services.ts';

/**
 * False for a result that the same source may still get over: a failure, or a source that was not
 * there when it was wanted.
 */
export function isFinal(result: AssetEvent): boolean {
  return (
    result.type === 'asset.ready' ||
    !['failed', 'source_gone', 'source_replaced'].includes(result.code)
  );
}

/**
 * Tells the events queue how a job ended, and keeps that as its result. The event goes first: a
 * worker that dies in between tells it twice, never not at all.
 */
export async function report(
  services: Services,
  event: AssetEvent,
  { log }: Context,
): Promise<void> {
  const { store, config, events } = services;
  await events.send(JSON.stringify(event));
  await writeResult(store, config.WORK_BUCKET, event);
  const { type } = event;
  if (type === 'asset.ready') {
    const { version, bytes, spentSeconds, durationSeconds } = event;
    // Of work that was done, not of words that were changed.
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

/** Reports a job one of whose messages was given up; it may still become ready when that returns. */
export async function reportFailed(
  services: Services,
  job: JobRef,
  why: unknown,
  context: Context,
): Promise<void> {
  const { store, config } = services;
  const known = await readValidResult(store, config.WORK_BUCKET, job.jobId);
  if (known && known.type !== 'asset.failed') return;
  const reason = `The video could not be processed. An administrator finds the cause in the dead letters. (${describeError(why).split('\n', 1)[0] ?? ''})`;
  await report(services, { type: 'asset.failed', ...names(job), code: 'failed', reason }, context);
}

/** Keeps what is known of a failure beside the job, for whoever reads the dead letters. */
export async function keepEvidence(
  { store, config }: Services,
  job: JobRef,
  step: string,
  error: unknown,
  { log }: Context,
): Promise<void> {
  const evidence = evidenceOf(job, step, error);
  try {
    await writeEvidence(store, config.WORK_BUCKET, evidence);
  } catch (failure) {
    log.warn({ event: 'evidence.lost', evidence, err: failure });
  }
}

function names({ jobId, assetId, source: { bucket, key } }: JobRef) {
  return { jobId, assetId, source: { bucket, key } };
}
