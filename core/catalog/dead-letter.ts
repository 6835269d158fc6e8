import type { AssetEvent } from '../model/asset.ts';
import { PoisonError } from '../model/errors.ts';
import { assetIdOf, jobIdOf } from '../model/ids.ts';
import { jobKeys } from '../model/keys.ts';
import { parseMessage } from '../model/message.ts';
import type { JobRequest, Message } from '../model/message.ts';
import type { ObjectStore, ReceivedMessage } from '../storage/ports.ts';
import type { Catalog } from './catalog.ts';
import { readEvidence } from './evidence.ts';
import { readResult } from './results.ts';

/** A message that was given up, and the reason as far as it is known. `dead-letters --json` prints these fields. */
export interface DeadLetter {
  readonly id: string;
  readonly since: Date;
  /** `unit video-00000`, or `job`. */
  readonly step?: string;
  readonly jobId?: string;
  /** Key of the uploaded file. */
  readonly source?: string;
  readonly reason: string;
  readonly message: string;
}

/** Finds the job of a dead letter, and the reason why it was given up, in the work bucket. */
export async function describeDeadLetter(
  catalog: Catalog<'WORK_BUCKET'>,
  { messageId, sentAt, body }: ReceivedMessage,
): Promise<DeadLetter> {
  const letter = { id: messageId, since: sentAt, message: body };
  let message: Message;
  try {
    message = parseMessage(body);
  } catch (error) {
    if (!(error instanceof PoisonError)) throw error;
    return { ...letter, reason: error.message };
  }
  const target = await targetOf(catalog.store, message);
  if (!target) return { ...letter, reason: 'Nothing is known about it.' };
  const { jobId, step } = target;
  const keys = jobKeys(jobId);
  const [plan, evidence, result] = await Promise.all([
    catalog.store.head(catalog.config.WORK_BUCKET, keys.plan),
    readEvidence(catalog, keys.failure(step)),
    readResult(catalog, jobId),
  ]);
  const unexplained =
    step === 'job' || plan
      ? 'There is no report: each worker that received it ended without one.'
      : 'Its job has no plan: it was removed, or never made.';
  const source = target.source ?? evidence?.source.key ?? result?.source.key;
  return {
    ...letter,
    jobId,
    step: step === 'job' ? step : `unit ${step}`,
    ...(source === undefined ? {} : { source }),
    reason: obsoleteReason(result) ?? evidence?.error ?? unexplained,
  };
}

/** Explains why a letter is obsolete: its job has ended, and no worker will change that. Undefined otherwise. */
function obsoleteReason(result: AssetEvent | undefined): string | undefined {
  if (result?.type === 'asset.ready') return 'No longer needed: the video is ready.';
  if (result?.type !== 'asset.rejected') return undefined;
  return `No longer needed: the video was rejected. ${result.reason}`;
}

async function targetOf(
  store: ObjectStore,
  message: Message,
): Promise<
  { readonly jobId: string; readonly step: string; readonly source?: string } | undefined
> {
  switch (message.type) {
    case 'unit':
      return { jobId: message.jobId, step: message.unit };
    case 'job':
      return job(store, message);
    case 'uploads': {
      const [source, ...others] = message.uploads;
      return source && others.length === 0 ? job(store, { source, options: {} }) : undefined;
    }
    case 'ignored':
    case 'reconcile':
      return undefined;
  }
}

async function job(store: ObjectStore, { source, options }: JobRequest) {
  const { bucket, key } = source;
  const etag = source.etag ?? (await store.head(bucket, key))?.etag;
  if (etag === undefined) return undefined;
  return { jobId: jobIdOf(assetIdOf({ bucket, key, etag }), options), step: 'job', source: key };
}
