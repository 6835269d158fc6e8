import { JOBS_PREFIX, jobKeys } from '../model/keys.ts';
import { parseOutline } from '../model/progress.ts';
import type { Outline } from '../model/progress.ts';
import { readDocument } from '../storage/documents.ts';
import { inParallel } from '../storage/in-parallel.ts';
import type { ObjectSummary } from '../storage/ports.ts';
import type { Catalog } from './catalog.ts';

/** The state of a job as a listing of the work bucket shows it, without reading any document. */
export interface JobListing {
  readonly jobId: string;
  readonly plan?: ObjectSummary;
  readonly result?: ObjectSummary;
  /** The names of the units with a marker. */
  readonly done: ReadonlySet<string>;
  /** The progress notes by the names of their units. */
  readonly notes: ReadonlyMap<string, ObjectSummary>;
  /** The newest evidence of a failed step. */
  readonly failure?: ObjectSummary;
  /** The time of the newest object. */
  readonly changedAt: Date;
}

export async function listJob(
  { store, config }: Catalog<'WORK_BUCKET'>,
  jobId: string,
): Promise<JobListing | undefined> {
  const objects: ObjectSummary[] = [];
  for await (const object of store.list(config.WORK_BUCKET, jobKeys(jobId).prefix))
    objects.push(object);
  return objects.length > 0 ? listing(jobId, objects) : undefined;
}

/**
 * Lists the jobs of the work bucket. An hour of video has some two hundred objects, and S3 lists a thousand at a
 * time. As ids are hexadecimal, sixteen listings run in parallel.
 */
export async function listJobs({
  store,
  config,
}: Catalog<'WORK_BUCKET'>): Promise<readonly JobListing[]> {
  const jobs = await inParallel('0123456789abcdef', 16, async (digit) => {
    const found: JobListing[] = [];
    let objects: ObjectSummary[] = [];
    const close = () => {
      const [, jobId] = objects[0]?.key.split('/') ?? [];
      if (jobId !== undefined) found.push(listing(jobId, objects));
      objects = [];
    };
    for await (const object of store.list(config.WORK_BUCKET, `${JOBS_PREFIX}${digit}`)) {
      if (jobOf(object) !== jobOf(objects[0])) close();
      objects.push(object);
    }
    close();
    return found;
  });
  return jobs.flat();
}

/** Reads the outline of a job's plan. Resolves to undefined when there is no plan. Throws UnreadableError. */
export function readOutline(
  { store, config }: Catalog<'WORK_BUCKET'>,
  jobId: string,
): Promise<Outline | undefined> {
  return readDocument(store, config.WORK_BUCKET, jobKeys(jobId).plan, parseOutline);
}

function jobOf(object: ObjectSummary | undefined): string | undefined {
  return object?.key.split('/')[1];
}

function listing(jobId: string, objects: readonly ObjectSummary[]): JobListing {
  const keys = jobKeys(jobId);
  const below = (prefix: string) => objects.filter(({ key }) => key.startsWith(prefix));
  const nameIn = (prefix: string, key: string) => key.slice(prefix.length, -'.json'.length);
  const byTime = (a: ObjectSummary, b: ObjectSummary) =>
    b.lastModified.getTime() - a.lastModified.getTime();
  const plan = objects.find(({ key }) => key === keys.plan);
  const result = objects.find(({ key }) => key === keys.result);
  const [failure] = below(keys.failures).sort(byTime);
  const [newest] = objects.toSorted(byTime);
  return {
    jobId,
    ...(plan ? { plan } : {}),
    ...(result ? { result } : {}),
    ...(failure ? { failure } : {}),
    done: new Set(below(keys.done).map(({ key }) => nameIn(keys.done, key))),
    notes: new Map(
      below(keys.progress).map((note) => [nameIn(keys.progress, note.key), note] as const),
    ),
    changedAt: newest?.lastModified ?? new Date(0),
  };
}
