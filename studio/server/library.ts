import { basename } from 'node:path/posix';
import { listAssetIds, readAsset } from '../../core/catalog/assets.ts';
import type { PublishedAsset } from '../../core/catalog/assets.ts';
import { readEvidence } from '../../core/catalog/evidence.ts';
import { listJobs } from '../../core/catalog/job-listing.ts';
import type { JobListing } from '../../core/catalog/job-listing.ts';
import { progressReader } from '../../core/catalog/progress-notes.ts';
import { readResult } from '../../core/catalog/results.ts';
import type { WorkerEnv } from '../../core/environment.ts';
import { retryCanHelp } from '../../core/model/rejections.ts';
import { UnreadableError } from '../../core/model/errors.ts';
import { readDocument } from '../../core/storage/documents.ts';
import { inParallel } from '../../core/storage/in-parallel.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';
import type { AssetEvent } from '../../core/model/asset.ts';
import { assetIdOf, jobIdOf } from '../../core/model/ids.ts';
import { leftOutSentences } from '../../core/model/left-out.ts';
import { parseOutline } from '../../core/model/progress.ts';
import type { Outline } from '../../core/model/progress.ts';
import { STALLED_MILLISECONDS } from '../../core/model/lost-work.ts';
import { titleOf } from '../../core/model/title.ts';
import { embedCode } from './embed-code.ts';
import type { LibraryItem, ReadyItem, WaitingItem, WorkingItem } from '../schema.ts';
import { TimeLeft } from './time-left.ts';

export type Names = Pick<
  WorkerEnv,
  'SOURCE_BUCKET' | 'WORK_BUCKET' | 'DELIVERY_BUCKET' | 'JOB_QUEUE'
>;

/** An item, and what it is made of. */
export interface Entry {
  readonly item: LibraryItem;
  /** The uploaded file; absent when it is deleted, or another took its place. */
  readonly source?: { readonly bucket: string; readonly key: string; readonly etag: string };
  readonly jobIds: readonly string[];
}

interface Source {
  readonly assetId: string;
  readonly key: string;
  readonly etag: string;
  readonly uploadedAt: Date;
}

/** A job, with what its documents say. */
interface Job {
  readonly listing: JobListing;
  readonly assetId: string;
  readonly sourceKey: string;
  readonly outline?: Outline | undefined;
  readonly result?: AssetEvent | undefined;
  /** How far it is, while there is no result. */
  readonly progress?: Progress | undefined;
  readonly unreadable?: UnreadableError | undefined;
}

type Progress = Omit<WorkingItem, 'state' | keyof WaitingItem>;

/** Documents that are read at once. */
const AT_ONCE = 16;
/** How often the delivery bucket is looked through. */
const SCAN_MILLISECONDS = 300_000;

/**
 * Everything that was uploaded and what has become of it, from the three buckets: they are the only
 * state. What a look has read, the next one does not read again.
 */
export class LibraryReader {
  readonly #store: ObjectStore;
  readonly #names: Names;
  readonly #origin: string;
  readonly #progressOf: ReturnType<typeof progressReader>;
  /** What is published, or why it cannot be read. */
  readonly #assets = new Map<string, PublishedAsset | UnreadableError>();
  readonly #deleted = new Set<string>();
  readonly #results = new Map<string, AssetEvent>();
  readonly #outlines = new Map<string, Outline>();
  readonly #left = new Map<string, TimeLeft>();
  #scanAt = 0;
  #scanError: Error | undefined;

  /** The origin is where viewers find the videos. */
  constructor(store: ObjectStore, names: Names, origin: string) {
    this.#store = store;
    this.#names = names;
    this.#origin = origin;
    this.#progressOf = progressReader(store, names.WORK_BUCKET);
  }

  /** The newest upload first. */
  async read(): Promise<readonly Entry[]> {
    this.#scanNowAndThen();
    const [sources, listings] = await Promise.all([
      this.#sources(),
      listJobs(this.#store, this.#names.WORK_BUCKET),
    ]);
    const byJob = new Map(sources.map((source) => [jobIdOf(source.assetId, {}), source]));
    const jobs = await inParallel(listings, AT_ONCE, (listing) =>
      this.#job(listing, byJob.get(listing.jobId)),
    );
    const jobsOf = Map.groupBy(jobs.flat(), ({ assetId }) => assetId);
    // What is known of a job expires; what it has made does not.
    const silent = sources.filter(({ assetId }) => !jobsOf.has(assetId));
    await this.#readAssets(silent.map(({ assetId }) => assetId));
    const sourceOf = new Map(sources.map((source) => [source.assetId, source]));
    const ids = new Set([...sourceOf.keys(), ...jobsOf.keys(), ...this.#assets.keys()]);
    return [...ids]
      .flatMap((id) => this.#entry(id, sourceOf.get(id), jobsOf.get(id) ?? []))
      .sort((a, b) => Date.parse(b.item.uploadedAt) - Date.parse(a.item.uploadedAt));
  }

  /** Of an asset that was deleted; a look that began before must not bring it back. */
  forget(assetId: string): void {
    this.#assets.delete(assetId);
    this.#deleted.add(assetId);
  }

  /** Reads an asset again, which was changed. */
  async refresh(assetId: string): Promise<void> {
    await this.#readAsset(assetId);
  }

  async #sources(): Promise<readonly Source[]> {
    const bucket = this.#names.SOURCE_BUCKET;
    const sources: Source[] = [];
    for await (const { key, etag, lastModified } of this.#store.list(bucket, '')) {
      const assetId = assetIdOf({ bucket, key, etag });
      sources.push({ assetId, key, etag, uploadedAt: lastModified });
    }
    return sources;
  }

  /**
   * Finds assets whose sources and jobs are gone, and those that somebody else has deleted. Nobody waits
   * for it: there may be thousands.
   */
  #scanNowAndThen(): void {
    const error = this.#scanError;
    this.#scanError = undefined;
    if (error) throw error;
    if (Date.now() < this.#scanAt) return;
    this.#scanAt = Date.now() + SCAN_MILLISECONDS;
    this.#scan().catch((cause: unknown) => {
      this.#scanAt = 0;
      this.#scanError = new Error('The delivery bucket cannot be looked through.', { cause });
    });
  }

  async #scan(): Promise<void> {
    const before = [...this.#assets.keys()];
    const ids = new Set<string>();
    for await (const id of listAssetIds(this.#store, this.#names.DELIVERY_BUCKET)) ids.add(id);
    for (const id of before) if (!ids.has(id)) this.#assets.delete(id);
    await this.#readAssets([...ids]);
  }

  async #readAssets(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#assets.has(id));
    await inParallel(unknown, AT_ONCE, (id) => this.#readAsset(id));
  }

  async #readAsset(id: string): Promise<void> {
    const asset = await orUnreadable(readAsset(this.#store, this.#names.DELIVERY_BUCKET, id));
    if (asset && !this.#deleted.has(id)) this.#assets.set(id, asset);
  }

  /** None of a job that nothing is known of but that something of it is there. */
  async #job(listing: JobListing, source: Source | undefined): Promise<readonly Job[]> {
    const { jobId } = listing;
    let outline, result, progress, unreadable;
    try {
      outline = await this.#outline(listing);
      result = await this.#result(listing);
      if (!result) progress = await this.#progress(listing, outline);
    } catch (error) {
      // The others are no worse for it.
      if (!(error instanceof UnreadableError)) throw error;
      unreadable = error;
    }
    const assetId = result?.assetId ?? outline?.assetId ?? source?.assetId;
    const sourceKey = result?.source.key ?? outline?.source.key ?? source?.key;
    if (result) this.#left.delete(jobId);
    if (assetId === undefined || sourceKey === undefined) return [];
    return [{ listing, assetId, sourceKey, outline, result, progress, unreadable }];
  }

  async #outline({ jobId, plan }: JobListing): Promise<Outline | undefined> {
    const known = this.#outlines.get(jobId);
    if (known || !plan) return known;
    const outline = await readDocument(
      this.#store,
      this.#names.WORK_BUCKET,
      plan.key,
      parseOutline,
    );
    if (outline) this.#outlines.set(jobId, outline);
    return outline;
  }

  async #result({ jobId, result }: JobListing): Promise<AssetEvent | undefined> {
    if (!result) return undefined;
    const name = `${result.key} ${result.etag}`;
    const known = this.#results.get(name);
    if (known) return known;
    const event = await readResult(this.#store, this.#names.WORK_BUCKET, jobId);
    if (event?.type === 'asset.ready') {
      // The same file, uploaded again.
      this.#deleted.delete(event.assetId);
      await this.#readAsset(event.assetId);
    }
    if (event) this.#results.set(name, event);
    return event;
  }

  #entry(id: string, source: Source | undefined, jobs: readonly Job[]): readonly Entry[] {
    const asset = this.#assets.get(id);
    const [job] = jobs.toSorted(
      (a, b) => b.listing.changedAt.getTime() - a.listing.changedAt.getTime(),
    );
    const unreadable = asset instanceof UnreadableError ? asset : undefined;
    const published = asset instanceof UnreadableError ? undefined : asset;
    const item = published
      ? this.#ready(published, source)
      : unpublished(id, source, job, unreadable);
    if (!item) return [];
    const bucket = this.#names.SOURCE_BUCKET;
    return [
      {
        item,
        ...(source ? { source: { bucket, key: source.key, etag: source.etag } } : {}),
        jobIds: jobs.map(({ listing }) => listing.jobId),
      },
    ];
  }

  #ready(asset: PublishedAsset, uploaded: Source | undefined): ReadyItem {
    const { assetId, title, source, publishedAt, durationSeconds, poster, playlist } = asset;
    const { renditions, audio, skipped, bytes } = asset;
    return {
      ...{ id: assetId, title, fileName: basename(source.key), state: 'ready' },
      uploadedAt: (uploaded?.uploadedAt ?? publishedAt).toISOString(),
      durationSeconds,
      watchPage: `/watch/${assetId}`,
      playlist: `/${playlist}`,
      ...(poster === undefined ? {} : { poster: `/${poster}` }),
      playAddress: `${this.#origin}/${playlist}`,
      embedCode: embedCode(this.#origin, asset),
      ...{ renditions, audio, skipped, bytes },
      leftOut: leftOutSentences(asset.leftOut),
    };
  }

  async #progress(listing: JobListing, outline: Outline | undefined): Promise<Progress> {
    const { jobId, failure, changedAt } = listing;
    const done = outline ? (await this.#progressOf(outline, listing)).done : 0;
    const left = this.#left.get(jobId) ?? new TimeLeft();
    this.#left.set(jobId, left);
    const seconds = left.after({ atSeconds: performance.now() / 1000, done });
    const evidence =
      failure && (await readEvidence(this.#store, this.#names.WORK_BUCKET, failure.key));
    return {
      percent: Math.floor(done * 100),
      ...(seconds === undefined ? {} : { secondsLeft: Math.round(seconds) }),
      ...(evidence ? { trouble: evidence.error } : {}),
      ...(Date.now() - changedAt.getTime() > STALLED_MILLISECONDS ? { quiet: true } : {}),
    };
  }
}

/** Undefined when nothing is left of it but that it was deleted. */
function unpublished(
  id: string,
  source: Source | undefined,
  job: Job | undefined,
  unreadable = job?.unreadable,
): LibraryItem | undefined {
  const key = source?.key ?? job?.sourceKey ?? '';
  const uploadedAt = source?.uploadedAt ?? job?.listing.changedAt ?? new Date(0);
  const known = {
    ...{ id, title: job?.outline?.title ?? titleOf(key), fileName: basename(key) },
    uploadedAt: uploadedAt.toISOString(),
  };
  if (unreadable) {
    const canRetry = source !== undefined && unreadable === job?.unreadable;
    return { ...known, state: 'failed', code: 'unreadable', reason: unreadable.message, canRetry };
  }
  if (!job) return { ...known, state: 'waiting' };
  const { result, progress = { percent: 0 } } = job;
  if (!result) return { ...known, state: 'working', ...progress };
  // It was published, and is deleted; or its file is gone before anybody looked at it.
  if (result.type === 'asset.ready') return undefined;
  if (result.code === 'source_gone' && !source) return undefined;
  const state = result.type === 'asset.rejected' ? 'rejected' : 'failed';
  const { code, reason } = result;
  return { ...known, state, code, reason, canRetry: source !== undefined && retryCanHelp(code) };
}

/** What is read, or why it cannot be. */
async function orUnreadable<Value>(reading: Promise<Value>): Promise<Value | UnreadableError> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof UnreadableError) return error;
    throw error;
  }
}
