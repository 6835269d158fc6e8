import type { WorkerConfig } from './config.ts';
import { UnreadableError } from './errors.ts';
import { collectGarbage, findGarbage } from './garbage.ts';
import type { Freed } from './garbage.ts';
import { readDocument } from './io/documents.ts';
import { inParallel } from './io/in-parallel.ts';
import type { ObjectStore, OutgoingMessage, Queue } from './io/ports.ts';
import { listJobs } from './job-listing.ts';
import type { JobListing } from './job-listing.ts';
import type { Garbage } from './plan/garbage.ts';
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
  /** Versions that no pointer names. */
  readonly garbage: Garbage;
}

/** What was done about it. */
export interface Settled {
  /** Of the lost work all but jobs that cannot be asked for, as neither their plan nor their source says how. */
  readonly sent: readonly OpenWork[];
  readonly freed: readonly Freed[];
}

/** Documents that are read at once. */
const AT_ONCE = 16;

/** Finds the work whose message was lost, and the versions that no pointer names. Changes nothing. */
export async function look(place: Place, now = new Date()): Promise<Reconciliation> {
  return judge(place, await readFacts(place), now);
}

/** Sends lost work again, and removes versions that had no name for long. Safe at any time, also for several at once. */
export async function settle(
  place: Place,
  { lost, garbage }: Reconciliation,
  signal?: AbortSignal,
  now = new Date(),
): Promise<Settled> {
  const sent = await sendAgain(place, lost, signal);
  return { sent, freed: await collectGarbage(place, garbage, now, signal) };
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

/** Looks and settles: for the worker that is asked to by a message. */
export async function reconcile(services: Services, { log, signal }: Context): Promise<void> {
  const facts = await readFacts(services);
  // The message that asks for this is in the queue, too.
  const others = { ...facts, held: Math.max(0, facts.held - 1) };
  const found = await judge(services, others, new Date());
  logReconciliation(log, found, await settle(services, found, signal));
}

/** Tells the log what was found and done. */
export function logReconciliation(
  log: Context['log'],
  { held, open, lost, garbage }: Reconciliation,
  { sent, freed }: Settled,
): void {
  const unnamed = garbage.found.length + garbage.waiting.length + garbage.due.length;
  log.info({ event: 'reconciled', held, open, lost: lost.length, sent: sent.length, unnamed });
  for (const version of freed) log.info({ event: 'version.removed', ...version });
  for (const one of lost) {
    const { jobId, kind } = one;
    if (!sent.includes(one)) log.warn({ event: 'reconciled.unknown', jobId, kind });
  }
}

async function judge(place: Place, facts: AssetFacts, now: Date): Promise<Reconciliation> {
  const open = openWork(facts);
  const busy = new Set(open.flatMap(({ jobId }) => facts.assetOf.get(jobId) ?? []));
  return {
    ...{ held: facts.held, open: open.length, lost: lostWork(facts, now) },
    garbage: await findGarbage(place, busy, now),
  };
}

interface AssetFacts extends Facts {
  /** The assets of jobs that have not ended, by the ids of these. */
  readonly assetOf: ReadonlyMap<string, string>;
}

async function readFacts({ store, jobs: queue, config }: Place): Promise<AssetFacts> {
  // First: what is done meanwhile still counts as held, and nothing is taken for lost too soon.
  const { visible, inFlight, delayed } = await queue.counts();
  const uploads: Omit<SourceFacts, 'isPublished'>[] = [];
  const assetOf = new Map<string, string>();
  const bucket = config.SOURCE_BUCKET;
  for await (const { key, etag, lastModified } of store.list(bucket, '')) {
    const source = { bucket, key, etag };
    const assetId = assetIdOf(source);
    const jobId = jobIdOf(assetId, {});
    uploads.push({ jobId, source, uploadedAt: lastModified });
    assetOf.set(jobId, assetId);
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
    readJob(store, config.WORK_BUCKET, listing, assetOf),
  );
  return { held: visible + inFlight + delayed, sources, jobs, assetOf };
}

async function readJob(
  store: ObjectStore,
  bucket: string,
  { jobId, changedAt, plan, result, done }: JobListing,
  assetOf: Map<string, string>,
): Promise<JobFacts> {
  const known = { jobId, changedAt, done, hasEnded: result !== undefined };
  if (!plan || result) return known;
  try {
    const outline = await readDocument(store, bucket, plan.key, parseOutline);
    if (!outline) return known;
    const { assetId, source, units } = outline;
    assetOf.set(jobId, assetId);
    return { ...known, plan: { source: source.key, units: units.map(({ name }) => name) } };
  } catch (error) {
    if (error instanceof UnreadableError) return { ...known, plan: 'unreadable' };
    throw error;
  }
}
