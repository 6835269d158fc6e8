import {
  FaultyOutputError,
  PoisonError,
  RejectedError,
  TransientError,
  UnreadableError,
} from '../core/model/errors.ts';
import {
  purgeIfDeleted,
  isDeleted,
  shouldDropJob,
  unlessDeleted,
} from '../core/catalog/deletion.ts';
import { intake } from './intake.ts';
import { serialiseJob, parseMessage } from '../core/model/message.ts';
import type { Message } from '../core/model/message.ts';
import type { Plan } from './plan/plan.ts';
import { setTitle } from '../core/catalog/pointer.ts';
import { publishWhenDone, reportPublished } from './publish.ts';
import { reconcile } from '../core/catalog/reconcile.ts';
import { readValidResult } from '../core/catalog/results.ts';
import { reportRejected, reportFailed, keepEvidence } from './report.ts';
import type { JobRef } from '../core/model/job.ts';
import type { Context, Services } from './services.ts';
import { identifyJob, recoverRequest } from '../core/catalog/job-origin.ts';
import { readPlan } from './stored-plan.ts';
import { encodeUnit } from './unit.ts';

/**
 * The pipeline: a message is an upload, a job or a unit. An upload is a job with the usual options;
 * a job is probed, planned and sent on as units; the worker that ends the last unit publishes.
 * Throws what plan/outcome.ts understands.
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

/** Several uploads in one message are told apart first: each is retried, rejected and reported by itself. */
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
  request: Pick<Extract<Message, { type: 'job' }>, 'source' | 'options'>,
  { log, signal }: Context,
): Promise<void> {
  const job = await intake.identify(services, request);
  const context = { signal, log: log.child({ jobId: job.jobId, assetId: job.assetId }) };
  if (await shouldDropJob(services, job)) {
    context.log.info({ event: 'job.deleted' });
    return;
  }
  await guard(services, job, 'job', context, async () => {
    const { title } = job.options;
    if (title !== undefined) await setTitle(services, job.assetId, title);
    if (!(await intake.reopen(services, job))) {
      context.log.info({ event: 'job.known' });
      return;
    }
    const plan = await intake.plan(services, job, context);
    if (!plan || (await reportPublished(services, plan, context))) return;
    await intake.dispatch(services, plan, context);
    // A job whose units are all done, but which was not published, was left by a worker that died.
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
    planAgain(services, jobId, error, log),
  );
  if (!plan) return;
  const job = { jobId, assetId: plan.assetId, source: plan.source };
  const context = { signal, log: log.child({ jobId, assetId: plan.assetId, unit: message.unit }) };
  const result = await readValidResult(services.store, services.config.WORK_BUCKET, jobId);
  if (result && result.type !== 'asset.failed') {
    context.log.info({ event: 'unit.unneeded', reason: 'the job has been reported' });
    return;
  }
  await guard(services, job, message.unit, context, async () => {
    await encodeUnit(services, plan, message.unit, context);
    await publishWhenDone(services, plan, context);
  });
}

/** Asks again for a job whose plan cannot be read: an older version made it, or it is damaged. Throws the error when it cannot. */
async function planAgain(
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
 * A rejection ends the whole job and is told to the uploader; any other failure leaves its evidence. Of a job
 * that is deleted meanwhile neither is told, and nothing stays.
 */
async function guard(
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
 * Reports a message that nobody will try again; false when there is nothing to report, as its unit
 * was the last to be done and only the publishing is left. What cannot be understood has no job to be
 * reported for.
 */
export async function giveUp(
  services: Services,
  body: string,
  why: unknown,
  context: Context,
): Promise<boolean> {
  if (await isOfDeleted(services, body, context)) return false;
  const job = await jobOf(services, body);
  if (!job) {
    context.log.error({ event: 'message.poison', body: body.slice(0, 2000), err: why });
    return true;
  }
  // What the gate has refused is not to be published by another way.
  const refused = why instanceof FaultyOutputError;
  if (job.plan && !refused && (await publishWhenDone(services, job.plan, context))) return false;
  await reportFailed(services, job, why, context);
  // It was deleted while this was written.
  return !(await purgeIfDeleted(services, job.jobId, context));
}

/** Whether a message is of a job that was deleted; what is left of the job is removed then. */
export async function isOfDeleted(
  services: Services,
  body: string,
  context: Context,
): Promise<boolean> {
  const jobId = await jobIdIn(services, body);
  return jobId !== undefined && (await purgeIfDeleted(services, jobId, context));
}

/** The id of a message's job; undefined when it has none. Unlike `jobOf` it needs nothing of the job to be there. */
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

/** The job of a message; undefined when it has none. */
export async function jobOf(
  services: Services,
  body: string,
): Promise<(JobRef & { readonly plan?: Plan }) | undefined> {
  try {
    const message = parseMessage(body);
    if (message.type === 'unit') {
      const plan = await readablePlan(services, message.jobId);
      return { ...(await identifyJob(services, message.jobId)), ...(plan ? { plan } : {}) };
    }
    if (message.type === 'job') return await intake.identify(services, message);
    const [source, ...others] = message.type === 'uploads' ? message.uploads : [];
    return source && others.length === 0
      ? await intake.identify(services, { source, options: {} })
      : undefined;
  } catch (error) {
    // It was given up for a reason that is reported already; that it names no job is no further news.
    if (error instanceof PoisonError) return undefined;
    throw error;
  }
}

/** The plan, when it is one of ours: one that is not must not keep its job from being reported. */
async function readablePlan(services: Services, jobId: string): Promise<Plan | undefined> {
  try {
    return await readPlan(services, jobId);
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof TransientError) return undefined;
    throw error;
  }
}
