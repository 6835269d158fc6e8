import type { WorkerConfig } from './config.ts';
import { UnreadableError } from './errors.ts';
import { readDocument } from './io/documents.ts';
import { inParallel } from './io/in-parallel.ts';
import type { ObjectStore, OutgoingMessage, Queue } from './io/ports.ts';
import { listJobs } from './job-listing.ts';
import type { JobListing } from './job-listing.ts';
import { assetIdOf, jobIdOf } from './plan/ids.ts';
import { pointerKey } from './plan/keys.ts';
import { serialiseJob, serialiseUnit } from './plan/message.ts';
import { parseOutline } from './plan/progress.ts';
import { lostWork, openWork } from './plan/reconcile.ts';
import type { Facts, JobFacts, OpenWork, SourceFacts } from './plan/reconcile.ts';
import { askAgain } from './reopen.ts';
import type { Context, Services } from './services.ts';
import { requestAgain } from './stored-plan.ts';

/** What a reconciliation looks at, and where it sends to. */
export interface Place {
  readonly store: ObjectStore;
  /** Both queues of work, as one. */
  readonly jobs: Queue;
  readonly config: Pick<WorkerConfig, 'SOURCE_BUCKET' | 'WORK_BUCKET' | 'DELIVERY_BUCKET'>;
}

/** What was found, before anything is sent. */
export interface Reconciliation {
  /** Messages of the job queue. */
  readonly held: number;
  /** Pieces of work that should each have one. */
  readonly open: number;
  readonly lost: readonly OpenWork[];
}

/** Documents that are read at once. */
const AT_ONCE = 16;

/** Finds the work whose message was lost. Changes nothing. */
export async function findLost(place: Place, now = new Date()): Promise<Reconciliation> {
  return judge(await readFacts(place), now);
}

/** All work that is still to be done, whatever the queue holds. */
export async function findOpen(place: Place): Promise<readonly OpenWork[]> {
  return openWork(await readFacts(place));
}

/**
 * Sends the messages of some work again. A message may come twice, so that this is safe at any time. Returns
 * what was sent: all but jobs that cannot be asked for, as neither their plan nor their source says how.
 */
export async function sendAgain(
  { store, jobs, config }: Place,
  work: readonly OpenWork[],
  signal?: AbortSignal,
): Promise<readonly OpenWork[]> {
  const messages: OutgoingMessage[] = [];
  const sent: OpenWork[] = [];
  for (const one of work) {
    signal?.throwIfAborted();
    switch (one.kind) {
      case 'upload':
        messages.push({ body: serialiseJob({ source: one.source, options: {} }) });
        break;
      case 'unit':
        messages.push({ body: serialiseUnit(one.jobId, one.unit) });
        break;
      case 'job': {
        const request = await requestAgain({ store, config }, one.jobId);
        if (!request) continue;
        await askAgain({ store, jobs, config }, one.jobId, request);
      }
    }
    sent.push(one);
  }
  await jobs.sendAll(messages);
  return sent;
}

/** Finds the lost work and sends it again: for the worker that is asked to by a message. */
export async function reconcile(services: Services, { log, signal }: Context): Promise<void> {
  const facts = await readFacts(services);
  // The message that asks for this is in the queue, too.
  const found = judge({ ...facts, held: Math.max(0, facts.held - 1) }, new Date());
  logReconciliation(log, found, await sendAgain(services, found.lost, signal));
}

/** Tells the log what was found and sent again. */
export function logReconciliation(
  log: Context['log'],
  { held, open, lost }: Reconciliation,
  sent: readonly OpenWork[],
): void {
  log.info({ event: 'reconciled', held, open, lost: lost.length, sent: sent.length });
  for (const one of lost) {
    const { jobId, kind } = one;
    if (!sent.includes(one)) log.warn({ event: 'reconciled.unknown', jobId, kind });
  }
}

function judge(facts: Facts, now: Date): Reconciliation {
  return { held: facts.held, open: openWork(facts).length, lost: lostWork(facts, now) };
}

async function readFacts({ store, jobs: queue, config }: Place): Promise<Facts> {
  // First: what is done meanwhile still counts as held, and nothing is taken for lost too soon.
  const { visible, inFlight, delayed } = await queue.counts();
  const uploads: Omit<SourceFacts, 'isPublished'>[] = [];
  const bucket = config.SOURCE_BUCKET;
  for await (const { key, etag, lastModified } of store.list(bucket, '')) {
    const source = { bucket, key, etag };
    uploads.push({ jobId: jobIdOf(assetIdOf(source), {}), source, uploadedAt: lastModified });
  }
  const listings = await listJobs(store, config.WORK_BUCKET);
  const known = new Set(listings.map(({ jobId }) => jobId));
  const sources = await inParallel(uploads, AT_ONCE, async (upload) => ({
    ...upload,
    isPublished:
      !known.has(upload.jobId) &&
      (await store.head(config.DELIVERY_BUCKET, pointerKey(assetIdOf(upload.source)))) !==
        undefined,
  }));
  const jobs = await inParallel(listings, AT_ONCE, (listing) =>
    readJob(store, config.WORK_BUCKET, listing),
  );
  return { held: visible + inFlight + delayed, sources, jobs };
}

async function readJob(
  store: ObjectStore,
  bucket: string,
  { jobId, changedAt, plan, result, done }: JobListing,
): Promise<JobFacts> {
  const known = { jobId, changedAt, done, hasEnded: result !== undefined };
  if (!plan || result) return known;
  try {
    const outline = await readDocument(store, bucket, plan.key, parseOutline);
    if (!outline) return known;
    const { source, units } = outline;
    return { ...known, plan: { source: source.key, units: units.map(({ name }) => name) } };
  } catch (error) {
    if (error instanceof UnreadableError) return { ...known, plan: 'unreadable' };
    throw error;
  }
}
