import {
  purgeIfDeleted,
  isDeleted,
  shouldDropJob,
  unlessDeleted,
} from '../core/catalog/deletion.ts';
import { identifyJob, recoverRequest } from '../core/catalog/job-origin.ts';
import { setTitle } from '../core/catalog/pointer.ts';
import { reconcile } from '../core/catalog/reconcile.ts';
import { readValidResult } from '../core/catalog/results.ts';
import {
  FaultyOutputError,
  PoisonError,
  RejectedError,
  TransientError,
  UnreadableError,
} from '../core/model/errors.ts';
import type { JobRef } from '../core/model/job.ts';
import { serialiseJob, parseMessage } from '../core/model/message.ts';
import type { JobRequest, Message } from '../core/model/message.ts';
import { dispatchUnits, jobFromRequest, planJob, reopenIfNeeded } from './intake.ts';
import type { Plan } from './plan/plan.ts';
import { publishWhenDone, reportPublished } from './publish.ts';
import { reportRejected, reportFailed, keepEvidence } from './report.ts';
import type { Context, Services } from './services.ts';
import { readPlan } from './stored-plan.ts';
import { encodeUnit } from './unit.ts';

/**
 * Handles a message: an upload, a job or a unit. An upload is a job with default options. A job is probed, planned and
 * split into units, each with a message of its own. The worker that completes the last unit publishes the asset.
 * worker/plan/outcome.ts decides what happens to the message when this throws.
 */
export async function handleMessage(
  services: Services,
  body: string,
  context: Context,
): Promise<void> {
  const message = parseMessage(body);
  switch (message.type) {
    case 'ignored':
      context.log.info({ event: 'message.ignored', reason: message.reason });
      return;
    case 'uploads':
      return handleUploads(services, message, context);
    case 'job':
      return handleJob(services, message, context);
    case 'unit':
      return handleUnit(services, message, context);
    case 'reconcile':
      return reconcile(services, context);
  }
}

/** Splits a message with several uploads, so that each upload is retried, rejected and reported by itself. */
async function handleUploads(
  services: Services,
  { uploads }: Extract<Message, { type: 'uploads' }>,
  context: Context,
): Promise<void> {
  const [first, ...others] = uploads;
  if (!first) return;
  if (others.length === 0) return handleJob(services, { source: first, options: {} }, context);
  await services.jobs.sendAll(
    uploads.map((source) => ({ body: serialiseJob({ source, options: {} }) })),
  );
}

async function handleJob(
  services: Services,
  request: JobRequest,
  { log, signal }: Context,
): Promise<void> {
  const job = await jobFromRequest(services, request);
  const context = { signal, log: log.child({ jobId: job.jobId, assetId: job.assetId }) };
  if (await shouldDropJob(services, job)) {
    context.log.info({ event: 'job.deleted' });
    return;
  }
  await reportErrors(services, job, 'job', context, async () => {
    const { title } = job.options;
    if (title !== undefined) await setTitle(services, job.assetId, title);
    if (!(await reopenIfNeeded(services, job))) {
      context.log.info({ event: 'job.known' });
      return;
    }
    const plan = await planJob(services, job, context);
    if (!plan || (await reportPublished(services, plan, context))) return;
    await dispatchUnits(services, plan, context);
    // All units may be done already, if a worker died before it could publish.
    await publishWhenDone(services, plan, context);
  });
}

async function handleUnit(
  services: Services,
  message: Extract<Message, { type: 'unit' }>,
  { log, signal }: Context,
): Promise<void> {
  const { jobId } = message;
  if (await purgeIfDeleted(services, jobId, { log })) return;
  const plan = await readPlan(services, jobId).catch((error: unknown) =>
    requestNewPlan(services, jobId, error, log),
  );
  if (!plan) return;
  const job = { jobId, assetId: plan.assetId, source: plan.source };
  const context = { signal, log: log.child({ jobId, assetId: plan.assetId, unit: message.unit }) };
  const result = await readValidResult(services, jobId);
  if (result && result.type !== 'asset.failed') {
    context.log.info({ event: 'unit.unneeded', reason: 'the job has been reported' });
    return;
  }
  await reportErrors(services, job, message.unit, context, async () => {
    await encodeUnit(services, plan, message.unit, context);
    await publishWhenDone(services, plan, context);
  });
}

/**
 * Requests a job again if its plan is unreadable, as an older version wrote it or it is damaged. Throws the error if it
 * has another cause, or if the options of the job are unknown.
 */
async function requestNewPlan(
  services: Services,
  jobId: string,
  error: unknown,
  log: Context['log'],
): Promise<undefined> {
  const request =
    error instanceof UnreadableError ? await recoverRequest(services, jobId) : undefined;
  if (!request) throw error;
  log.warn({ event: 'plan.unreadable', jobId, err: error });
  await services.jobs.send(serialiseJob(request));
}

/**
 * Runs work on a job. Reports a rejection, which ends the whole job, and keeps evidence of any other failure. If the
 * job is deleted meanwhile, does neither and removes its files.
 */
async function reportErrors(
  services: Services,
  job: JobRef,
  step: string,
  context: Context,
  work: () => Promise<void>,
): Promise<void> {
  await unlessDeleted(services, job.jobId, context, async () => {
    try {
      await work();
    } catch (error) {
      if (await isDeleted(services, job)) throw error;
      if (error instanceof RejectedError) await reportRejected(services, job, error, context);
      else if (!context.signal.aborted) await keepEvidence(services, job, step, error, context);
      throw error;
    }
  });
}

/**
 * Reports the job of a message that will not be retried as failed. Returns false if the message is not needed as a dead
 * letter: its job was deleted, or all units are done and this publishes them. A message that cannot be understood has
 * no job to report.
 */
export async function handleDeadLetter(
  services: Services,
  body: string,
  error: unknown,
  context: Context,
): Promise<boolean> {
  if (await purgeIfJobDeleted(services, body, context)) return false;
  const job = await jobOf(services, body);
  if (!job) {
    context.log.error({ event: 'message.poison', body: body.slice(0, 2000), err: error });
    return true;
  }
  // The quality gate has refused this output, so it must not be published here.
  const refused = error instanceof FaultyOutputError;
  if (job.plan && !refused && (await publishWhenDone(services, job.plan, context))) return false;
  await reportFailed(services, job, error, context);
  // It may have been deleted meanwhile.
  return !(await purgeIfDeleted(services, job.jobId, context));
}

/** Returns whether the job of a message was deleted, and removes what is left of such a job. */
export async function purgeIfJobDeleted(
  services: Services,
  body: string,
  context: Context,
): Promise<boolean> {
  const jobId = await jobIdIn(services, body);
  return jobId !== undefined && (await purgeIfDeleted(services, jobId, context));
}

/** The id of a message's job; undefined if it has none. Unlike `jobOf`, works without the documents of the job. */
async function jobIdIn(services: Services, body: string): Promise<string | undefined> {
  try {
    const message = parseMessage(body);
    if (message.type === 'unit') return message.jobId;
  } catch (error) {
    if (error instanceof PoisonError) return undefined;
    throw error;
  }
  return (await jobOf(services, body))?.jobId;
}

/** The job of a message; undefined if it has none. */
export async function jobOf(
  services: Services,
  body: string,
): Promise<(JobRef & { readonly plan?: Plan }) | undefined> {
  try {
    const message = parseMessage(body);
    if (message.type === 'unit') {
      const plan = await readValidPlan(services, message.jobId);
      return { ...(await identifyJob(services, message.jobId)), ...(plan ? { plan } : {}) };
    }
    if (message.type === 'job') return await jobFromRequest(services, message);
    const [source, ...others] = message.type === 'uploads' ? message.uploads : [];
    return source && others.length === 0
      ? await jobFromRequest(services, { source, options: {} })
      : undefined;
  } catch (error) {
    // The message names no job. Why it became a dead letter is reported already.
    if (error instanceof PoisonError) return undefined;
    throw error;
  }
}

/** The plan; undefined if this version cannot read it. An unreadable plan must not prevent the report. */
async function readValidPlan(services: Services, jobId: string): Promise<Plan | undefined> {
  try {
    return await readPlan(services, jobId);
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof TransientError) return undefined;
    throw error;
  }
}
