import type { Logger } from '../log.ts';
import { UnreadableError } from '../model/errors.ts';
import type { Garbage } from '../model/garbage.ts';
import { assetIdOf, jobIdOf } from '../model/ids.ts';
import { pointerKey } from '../model/keys.ts';
import { lostWork, openWork } from '../model/lost-work.ts';
import type { WorkFacts, JobFacts, OpenWork, SourceFacts } from '../model/lost-work.ts';
import { serialiseJob, serialiseUnit } from '../model/message.ts';
import { inParallel } from '../storage/in-parallel.ts';
import type { OutgoingMessage } from '../storage/ports.ts';
import type { Catalog, WorkCatalog } from './catalog.ts';
import { collectGarbage, findGarbage } from './garbage.ts';
import type { RemovedVersion } from './garbage.ts';
import { listJobs, readOutline } from './job-listing.ts';
import type { JobListing } from './job-listing.ts';
import { recoverRequest } from './job-origin.ts';
import { requestJob } from './results.ts';

/** The findings of an inspection. `check --json` prints these fields, and those of Repairs. */
export interface Findings {
  /** The number of messages in the queues of work. */
  readonly held: number;
  /** The number of pieces of work, each of which should have a message. */
  readonly open: number;
  readonly lost: readonly OpenWork[];
  /** Unreferenced versions. */
  readonly garbage: Garbage;
}

/** The results of a repair. */
export interface Repairs {
  /** The lost work without jobs whose request cannot be recovered. */
  readonly sent: readonly OpenWork[];
  readonly freed: readonly RemovedVersion[];
}

/** Parallel reads. */
const CONCURRENCY = 16;

/** Finds work whose message was lost, and unreferenced versions. Changes nothing. */
export async function inspect(catalog: WorkCatalog, now = new Date()): Promise<Findings> {
  return evaluate(catalog, await readFacts(catalog), now);
}

/** Sends messages of lost work again, and removes due versions. Safe to run at any time, also in parallel. */
export async function repair(
  catalog: WorkCatalog,
  { lost, garbage }: Findings,
  signal?: AbortSignal,
  now = new Date(),
): Promise<Repairs> {
  const sent = await sendAgain(catalog, lost, signal);
  return { sent, freed: await collectGarbage(catalog, garbage, now, signal) };
}

/** Finds all open work, whether it has a message or not. */
export async function findOpenWork(catalog: WorkCatalog): Promise<readonly OpenWork[]> {
  return openWork(await readFacts(catalog));
}

/**
 * Sends the messages of work again. This is safe at any time, as workers expect duplicate messages. Returns the work
 * that was sent: all but jobs whose request cannot be recovered.
 */
export async function sendAgain(
  { store, jobs, config }: WorkCatalog,
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
        const request = await recoverRequest({ store, config }, one.jobId);
        if (!request) continue;
        await requestJob({ store, jobs, config }, one.jobId, request);
      }
    }
    sent.push(one);
  }
  await jobs.sendAll(messages);
  return sent;
}

/** Inspects and repairs, for a worker that received a `reconcile` message. */
export async function reconcile(
  catalog: WorkCatalog,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  const facts = await readFacts(catalog);
  // The `reconcile` message itself is still in the queue.
  const withoutOwn = { ...facts, held: Math.max(0, facts.held - 1) };
  const found = await evaluate(catalog, withoutOwn, new Date());
  logReconciliation(log, found, await repair(catalog, found, signal));
}

/** Logs what was found and done. */
export function logReconciliation(
  log: Logger,
  { held, open, lost, garbage }: Findings,
  { sent, freed }: Repairs,
): void {
  const unnamed = garbage.found.length + garbage.waiting.length + garbage.due.length;
  log.info({ event: 'reconciled', held, open, lost: lost.length, sent: sent.length, unnamed });
  for (const version of freed) log.info({ event: 'version.removed', ...version });
  for (const one of lost) {
    const { jobId, kind } = one;
    if (!sent.includes(one)) log.warn({ event: 'reconciled.unknown', jobId, kind });
  }
}

async function evaluate(catalog: WorkCatalog, facts: AssetFacts, now: Date): Promise<Findings> {
  const open = openWork(facts);
  const busy = new Set(open.flatMap(({ jobId }) => facts.assetOf.get(jobId) ?? []));
  return {
    held: facts.held,
    open: open.length,
    lost: lostWork(facts, now),
    garbage: await findGarbage(catalog, busy, now),
  };
}

interface AssetFacts extends WorkFacts {
  /** The asset ids of jobs that have not ended, by job id. */
  readonly assetOf: ReadonlyMap<string, string>;
}

async function readFacts(catalog: WorkCatalog): Promise<AssetFacts> {
  const { store, jobs: queue, config } = catalog;
  // Messages are counted first: work that ends in between then still has its message, and does not count as lost.
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
  const listings = await listJobs(catalog);
  const known = new Set(listings.map(({ jobId }) => jobId));
  const sources = await inParallel(uploads, CONCURRENCY, async (upload) => ({
    ...upload,
    isPublished:
      !known.has(upload.jobId) &&
      (await store.head(config.DELIVERY_BUCKET, pointerKey(assetIdOf(upload.source)))) !==
        undefined,
  }));
  const jobs = await inParallel(listings, CONCURRENCY, (listing) =>
    readJob(catalog, listing, assetOf),
  );
  return { held: visible + inFlight + delayed, sources, jobs, assetOf };
}

async function readJob(
  catalog: Catalog<'WORK_BUCKET'>,
  { jobId, changedAt, plan, result, done }: JobListing,
  assetOf: Map<string, string>,
): Promise<JobFacts> {
  const known = { jobId, changedAt, done, hasEnded: result !== undefined };
  if (!plan || result) return known;
  try {
    const outline = await readOutline(catalog, jobId);
    if (!outline) return known;
    const { assetId, source, units } = outline;
    assetOf.set(jobId, assetId);
    return { ...known, plan: { source: source.key, units: units.map(({ name }) => name) } };
  } catch (error) {
    if (error instanceof UnreadableError) return { ...known, plan: 'unreadable' };
    throw error;
  }
}
