import type { JobProgress } from '../model/progress.ts';
import { inParallel } from '../storage/in-parallel.ts';
import type { Catalog } from './catalog.ts';
import { readEvidence } from './evidence.ts';
import { listJobs, readOutline } from './job-listing.ts';
import type { JobListing } from './job-listing.ts';
import { progressReader } from './progress-notes.ts';
import { readResult } from './results.ts';

export interface OpenJob {
  readonly jobId: string;
  /** The key of the uploaded file; absent when neither a plan nor evidence has it. */
  readonly source?: string;
  readonly percent: number;
  readonly unitsDone: number;
  readonly units: number;
  readonly changedAt: Date;
  /** The last error. The step is tried again, or is in the dead letters. */
  readonly trouble?: string;
}

export interface EndedJob {
  readonly jobId: string;
  readonly assetId: string;
  readonly source: string;
  readonly status: 'ready' | 'rejected' | 'failed';
  /** The key of the pointer in the delivery bucket. */
  readonly playlist?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly endedAt: Date;
}

/** The number of all jobs, and details of the newest. `status --json` prints these fields. */
export interface Jobs {
  readonly open: { readonly total: number; readonly newest: readonly OpenJob[] };
  readonly ended: { readonly total: number; readonly newest: readonly EndedJob[] };
}

/** Parallel reads. */
const CONCURRENCY = 16;

/**
 * Reads the state of the jobs. A listing counts them all; documents are read only for the newest `limit` open jobs
 * and the newest `limit` ended jobs.
 */
export async function readJobs(catalog: Catalog<'WORK_BUCKET'>, limit: number): Promise<Jobs> {
  const jobs = await listJobs(catalog);
  const ended = jobs.filter(({ result }) => result).sort(newestFirst(endOf));
  const open = jobs.filter(({ result }) => !result).sort(newestFirst(({ changedAt }) => changedAt));
  return {
    open: {
      total: open.length,
      newest: await inParallel(open.slice(0, limit), CONCURRENCY, (job) => readOpen(catalog, job)),
    },
    ended: {
      total: ended.length,
      newest: (
        await inParallel(ended.slice(0, limit), CONCURRENCY, (job) => readEnded(catalog, job))
      ).flat(),
    },
  };
}

const endOf = ({ result, changedAt }: JobListing) => result?.lastModified ?? changedAt;

function newestFirst(timeOf: (job: JobListing) => Date) {
  return (a: JobListing, b: JobListing) => timeOf(b).getTime() - timeOf(a).getTime();
}

async function readOpen(catalog: Catalog<'WORK_BUCKET'>, job: JobListing): Promise<OpenJob> {
  const { jobId, changedAt, failure } = job;
  const nothing = { jobId, percent: 0, unitsDone: 0, units: 0, changedAt };
  try {
    const plan = await readOutline(catalog, jobId);
    const progress = plan && (await progressReader(catalog)(plan, job));
    const failed = failure && (await readEvidence(catalog, failure.key));
    const source = plan?.source.key ?? failed?.source.key;
    return {
      ...nothing,
      ...(source === undefined ? {} : { source }),
      ...(progress ? sharesOf(progress) : {}),
      ...(failed ? { trouble: failed.error } : {}),
    };
  } catch (error) {
    // A plan of another version, for example, must not hide the other jobs.
    return { ...nothing, trouble: error instanceof Error ? error.message : String(error) };
  }
}

function sharesOf({ done, unitsDone, units }: JobProgress) {
  return { percent: Math.floor(done * 100), unitsDone, units };
}

/** Empty when the job was started again after the listing. */
async function readEnded(
  catalog: Catalog<'WORK_BUCKET'>,
  job: JobListing,
): Promise<readonly EndedJob[]> {
  const { jobId } = job;
  const event = await readResult(catalog, jobId);
  if (!event) return [];
  const { assetId, source } = event;
  const known = { jobId, assetId, source: source.key, endedAt: endOf(job) };
  if (event.type === 'asset.ready') {
    return [{ ...known, status: 'ready', playlist: event.playlist }];
  }
  const status = event.type === 'asset.rejected' ? 'rejected' : 'failed';
  return [{ ...known, status, code: event.code, reason: event.reason }];
}
