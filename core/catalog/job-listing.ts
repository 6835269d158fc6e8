import { inParallel } from '../storage/in-parallel.ts';
import type { ObjectSummary } from '../storage/ports.ts';
import type { Catalog } from './catalog.ts';
import { JOBS_PREFIX, jobKeys } from '../model/keys.ts';
import { parseOutline } from '../model/progress.ts';
import type { Outline } from '../model/progress.ts';
import { readDocument } from '../storage/documents.ts';

/** A job as a listing of the work bucket shows it, before anything is read. */
export interface JobListing {
  readonly jobId: string;
  readonly plan?: ObjectSummary;
  readonly result?: ObjectSummary;
  /** Names of the units that are done. */
  readonly done: ReadonlySet<string>;
  /** How far a unit is, by its name. */
  readonly notes: ReadonlyMap<string, ObjectSummary>;
  /** The evidence of what failed last. */
  readonly failure?: ObjectSummary;
  /** When anything of it was written last. */
  readonly changedAt: Date;
}

export async function listJob(
  { store, config }: Catalog<'WORK_BUCKET'>,
  jobId: string,
): Promise<JobListing | undefined> {
  const objects: ObjectSummary[] = [];
  for await (const object of store.list(config.WORK_BUCKET, jobKeys(jobId).all))
    objects.push(object);
  return objects.length > 0 ? listing(jobId, objects) : undefined;
}

/**
 * Every job of the work bucket. S3 lists a thousand objects at a time, and a job of an hour has some
 * two hundred: as ids are hexadecimal, sixteen listings share the work.
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

/** What a plan says about its job, also a plan of another version. Undefined when the job has none. Throws UnreadableError. */
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
