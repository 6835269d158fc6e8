import { basename } from 'node:path/posix';
import { listAssetIds, readAsset } from '../../core/catalog/assets.ts';
import type { PublishedAsset } from '../../core/catalog/assets.ts';
import type { Catalog } from '../../core/catalog/catalog.ts';
import { readEvidence } from '../../core/catalog/evidence.ts';
import { listJobs, readOutline } from '../../core/catalog/job-listing.ts';
import type { JobListing } from '../../core/catalog/job-listing.ts';
import { progressReader } from '../../core/catalog/progress-notes.ts';
import { readResult } from '../../core/catalog/results.ts';
import type { AssetEvent } from '../../core/model/asset.ts';
import { UnreadableError } from '../../core/model/errors.ts';
import { assetIdOf, jobIdOf } from '../../core/model/ids.ts';
import { leftOutSentences } from '../../core/model/left-out.ts';
import { STALLED_MILLISECONDS } from '../../core/model/lost-work.ts';
import type { Outline } from '../../core/model/progress.ts';
import { retryCanHelp } from '../../core/model/rejections.ts';
import { titleOf } from '../../core/model/title.ts';
import { inParallel } from '../../core/storage/in-parallel.ts';
import type { LibraryItem, ReadyItem, WaitingItem, WorkingItem } from '../schema.ts';
import { embedCode } from './embed-code.ts';
import { TimeLeft } from './time-left.ts';

/** An item of the library, with its objects in the buckets. */
export interface Entry {
  readonly item: LibraryItem;
  /** The uploaded file. Absent if it was deleted, or replaced by another one. */
  readonly source?: { readonly bucket: string; readonly key: string; readonly etag: string };
  readonly jobIds: readonly string[];
}

interface Source {
  readonly assetId: string;
  readonly key: string;
  readonly etag: string;
  readonly uploadedAt: Date;
}

/** A job with the contents of its documents. */
interface Job {
  readonly listing: JobListing;
  readonly assetId: string;
  readonly sourceKey: string;
  readonly outline?: Outline | undefined;
  readonly result?: AssetEvent | undefined;
  /** Absent once there is a result. */
  readonly progress?: Progress | undefined;
  readonly unreadable?: UnreadableError | undefined;
}

type Progress = Omit<WorkingItem, 'state' | keyof WaitingItem>;

/** The number of documents that are read at the same time. */
const CONCURRENCY = 16;
/** How often the whole delivery bucket is listed. */
const SCAN_MILLISECONDS = 300_000;

/**
 * Reads every uploaded file, and what has become of it, from the three buckets. They are the only state. Documents
 * that do not change are kept in memory between two reads.
 */
export class LibraryReader {
  readonly #catalog: Catalog;
  readonly #origin: string;
  readonly #progressOf: ReturnType<typeof progressReader>;
  /** The published assets; for one whose document cannot be read, the error. */
  readonly #assets = new Map<string, PublishedAsset | UnreadableError>();
  readonly #deleted = new Set<string>();
  readonly #results = new Map<string, AssetEvent>();
  readonly #outlines = new Map<string, Outline>();
  readonly #estimates = new Map<string, TimeLeft>();
  #nextScanAt = 0;
  #scanError: Error | undefined;

  /** `origin` is the origin from which viewers load the videos. */
  constructor(catalog: Catalog, origin: string) {
    this.#catalog = catalog;
    this.#origin = origin;
    this.#progressOf = progressReader(this.#catalog);
  }

  /** The newest upload comes first. */
  async read(): Promise<readonly Entry[]> {
    this.#scanIfDue();
    const [sources, listings] = await Promise.all([this.#sources(), listJobs(this.#catalog)]);
    const sourceOfJob = new Map(sources.map((source) => [jobIdOf(source.assetId, {}), source]));
    const jobs = await inParallel(listings, CONCURRENCY, (listing) =>
      this.#job(listing, sourceOfJob.get(listing.jobId)),
    );
    const jobsOf = Map.groupBy(jobs.flat(), ({ assetId }) => assetId);
    // The documents of a job expire; the asset that it made does not.
    const withoutJob = sources.filter(({ assetId }) => !jobsOf.has(assetId));
    await this.#readAssets(withoutJob.map(({ assetId }) => assetId));
    const sourceOf = new Map(sources.map((source) => [source.assetId, source]));
    const ids = new Set([...sourceOf.keys(), ...jobsOf.keys(), ...this.#assets.keys()]);
    return [...ids]
      .flatMap((id) => this.#entry(id, sourceOf.get(id), jobsOf.get(id) ?? []))
      .sort((a, b) => Date.parse(b.item.uploadedAt) - Date.parse(a.item.uploadedAt));
  }

  /** Call it when an asset was deleted: a read that began before the deletion must not bring it back. */
  forget(assetId: string): void {
    this.#assets.delete(assetId);
    this.#deleted.add(assetId);
  }

  /** Call it when an asset was changed. */
  async refresh(assetId: string): Promise<void> {
    await this.#readAsset(assetId);
  }

  async #sources(): Promise<readonly Source[]> {
    const bucket = this.#catalog.config.SOURCE_BUCKET;
    const sources: Source[] = [];
    for await (const { key, etag, lastModified } of this.#catalog.store.list(bucket, '')) {
      const assetId = assetIdOf({ bucket, key, etag });
      sources.push({ assetId, key, etag, uploadedAt: lastModified });
    }
    return sources;
  }

  /**
   * Finds assets without a source and a job, and those that another process has deleted. No read waits for it: there
   * may be thousands of assets. The read after a failed scan throws its error.
   */
  #scanIfDue(): void {
    const error = this.#scanError;
    this.#scanError = undefined;
    if (error) throw error;
    if (Date.now() < this.#nextScanAt) return;
    this.#nextScanAt = Date.now() + SCAN_MILLISECONDS;
    this.#scan().catch((cause: unknown) => {
      this.#nextScanAt = 0;
      this.#scanError = new Error('The delivery bucket cannot be listed.', { cause });
    });
  }

  async #scan(): Promise<void> {
    const before = [...this.#assets.keys()];
    const ids = new Set<string>();
    for await (const id of listAssetIds(this.#catalog)) ids.add(id);
    for (const id of before) if (!ids.has(id)) this.#assets.delete(id);
    await this.#readAssets([...ids]);
  }

  async #readAssets(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.#assets.has(id));
    await inParallel(unknown, CONCURRENCY, (id) => this.#readAsset(id));
  }

  async #readAsset(id: string): Promise<void> {
    const asset = await orUnreadable(readAsset(this.#catalog, id));
    if (asset && !this.#deleted.has(id)) this.#assets.set(id, asset);
  }

  /** Empty for an orphaned listing: no result, outline or source identifies its asset. */
  async #job(listing: JobListing, source: Source | undefined): Promise<readonly Job[]> {
    const { jobId } = listing;
    let outline, result, progress, unreadable;
    try {
      outline = await this.#outline(listing);
      result = await this.#result(listing);
      if (!result) progress = await this.#progress(listing, outline);
    } catch (error) {
      // One unreadable document must not hide the other jobs.
      if (!(error instanceof UnreadableError)) throw error;
      unreadable = error;
    }
    const assetId = result?.assetId ?? outline?.assetId ?? source?.assetId;
    const sourceKey = result?.source.key ?? outline?.source.key ?? source?.key;
    if (result) this.#estimates.delete(jobId);
    if (assetId === undefined || sourceKey === undefined) return [];
    return [{ listing, assetId, sourceKey, outline, result, progress, unreadable }];
  }

  async #outline({ jobId, plan }: JobListing): Promise<Outline | undefined> {
    const known = this.#outlines.get(jobId);
    if (known || !plan) return known;
    const outline = await readOutline(this.#catalog, jobId);
    if (outline) this.#outlines.set(jobId, outline);
    return outline;
  }

  async #result({ jobId, result }: JobListing): Promise<AssetEvent | undefined> {
    if (!result) return undefined;
    const revision = `${result.key} ${result.etag}`;
    const known = this.#results.get(revision);
    if (known) return known;
    const event = await readResult(this.#catalog, jobId);
    if (event?.type === 'asset.ready') {
      // The same file may have been deleted and uploaded again.
      this.#deleted.delete(event.assetId);
      await this.#readAsset(event.assetId);
    }
    if (event) this.#results.set(revision, event);
    return event;
  }

  async #progress(listing: JobListing, outline: Outline | undefined): Promise<Progress> {
    const { jobId, failure, changedAt } = listing;
    const done = outline ? (await this.#progressOf(outline, listing)).done : 0;
    const estimate = this.#estimates.get(jobId) ?? new TimeLeft();
    this.#estimates.set(jobId, estimate);
    const seconds = estimate.after({ atSeconds: performance.now() / 1000, done });
    const evidence = failure && (await readEvidence(this.#catalog, failure.key));
    return {
      percent: Math.floor(done * 100),
      secondsLeft: seconds === undefined ? undefined : Math.round(seconds),
      lastError: evidence?.error,
      stalled: Date.now() - changedAt.getTime() > STALLED_MILLISECONDS,
    };
  }

  /** Empty when everything of the asset was deleted. */
  #entry(id: string, source: Source | undefined, jobs: readonly Job[]): readonly Entry[] {
    const asset = this.#assets.get(id);
    const [job] = jobs.toSorted(
      (a, b) => b.listing.changedAt.getTime() - a.listing.changedAt.getTime(),
    );
    const item =
      asset && !(asset instanceof UnreadableError)
        ? this.#readyItem(asset, source)
        : unpublishedItem(id, source, job, asset);
    if (!item) return [];
    const bucket = this.#catalog.config.SOURCE_BUCKET;
    return [
      {
        item,
        ...(source ? { source: { bucket, key: source.key, etag: source.etag } } : {}),
        jobIds: jobs.map(({ listing }) => listing.jobId),
      },
    ];
  }

  #readyItem(asset: PublishedAsset, source: Source | undefined): ReadyItem {
    const { assetId, title, publishedAt, poster, playlist } = asset;
    const { durationSeconds, renditions, audio, skipped, bytes } = asset;
    return {
      state: 'ready',
      id: assetId,
      title,
      fileName: basename(asset.source.key),
      uploadedAt: (source?.uploadedAt ?? publishedAt).toISOString(),
      durationSeconds,
      watchPage: `/watch/${assetId}`,
      playlist: `/${playlist}`,
      poster: poster === undefined ? undefined : `/${poster}`,
      playAddress: `${this.#origin}/${playlist}`,
      embedCode: embedCode(this.#origin, asset),
      renditions,
      audio,
      skipped,
      leftOut: leftOutSentences(asset.leftOut),
      bytes,
    };
  }
}

/** Returns undefined when everything of the asset was deleted. */
function unpublishedItem(
  id: string,
  source: Source | undefined,
  job: Job | undefined,
  unreadable = job?.unreadable,
): LibraryItem | undefined {
  const key = source?.key ?? job?.sourceKey ?? '';
  const uploadedAt = source?.uploadedAt ?? job?.listing.changedAt ?? new Date(0);
  const known = {
    id,
    title: job?.outline?.title ?? titleOf(key),
    fileName: basename(key),
    uploadedAt: uploadedAt.toISOString(),
  };
  if (unreadable) {
    const canRetry = source !== undefined && unreadable === job?.unreadable;
    return { ...known, state: 'failed', code: 'unreadable', reason: unreadable.message, canRetry };
  }
  if (!job) return { ...known, state: 'waiting' };
  const { result, progress = { percent: 0, stalled: false } } = job;
  if (!result) return { ...known, state: 'working', ...progress };
  // Published and then deleted, or the file was deleted before a worker started on it.
  if (result.type === 'asset.ready') return undefined;
  if (result.code === 'source_gone' && !source) return undefined;
  const state = result.type === 'asset.rejected' ? 'rejected' : 'failed';
  const { code, reason } = result;
  return { ...known, state, code, reason, canRetry: source !== undefined && retryCanHelp(code) };
}

async function orUnreadable<Value>(reading: Promise<Value>): Promise<Value | UnreadableError> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof UnreadableError) return error;
    throw error;
  }
}
