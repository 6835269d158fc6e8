/** Which work has lost its message: decided from the three buckets and the number of messages, all of it at one time. */

/**
 * How long nothing was heard of work that may be lost. A worker notes every few seconds how far it is, and what
 * failed is tried again within minutes.
 */
export const STALLED_MILLISECONDS = 600_000;

export interface SourceFacts {
  /** Of the job that its upload asks for. */
  readonly jobId: string;
  readonly source: { readonly bucket: string; readonly key: string; readonly etag: string };
  readonly uploadedAt: Date;
  /** An asset of it is published: what is known of its job may have expired. */
  readonly isPublished: boolean;
}

export interface JobFacts {
  readonly jobId: string;
  /** When anything of it was written last. */
  readonly changedAt: Date;
  readonly hasEnded: boolean;
  readonly plan?: PlanFacts | 'unreadable' | undefined;
  /** Names of units that have their markers. */
  readonly done: ReadonlySet<string>;
}

export interface PlanFacts {
  /** Key of the source. */
  readonly source: string;
  readonly units: readonly string[];
}

export interface WorkFacts {
  /** Messages of the job queue: those that wait, are worked on, or wait for their next try. */
  readonly held: number;
  readonly sources: readonly SourceFacts[];
  readonly jobs: readonly JobFacts[];
}

/** Work that takes one message of the job queue: a source without a plan, a unit, or a job that only needs its end. */
export type OpenWork = {
  readonly jobId: string;
  /** When anything was heard of it last. */
  readonly heardAt: Date;
} & (
  | { readonly kind: 'upload'; readonly source: SourceFacts['source'] }
  | { readonly kind: 'unit'; readonly unit: string; readonly source: string }
  /** All of its units are done, but it was not published; or its plan cannot be read. */
  | { readonly kind: 'job'; readonly source?: string | undefined }
);

/** All work that is still to be done: each piece should have its message in the queue. */
export function openWork({ sources, jobs }: WorkFacts): readonly OpenWork[] {
  const jobOf = new Map(jobs.map((job) => [job.jobId, job]));
  const uploads = sources.flatMap(({ jobId, source, uploadedAt, isPublished }): OpenWork[] => {
    const job = jobOf.get(jobId);
    if (isPublished || job?.hasEnded || job?.plan) return [];
    const heardAt = job && job.changedAt > uploadedAt ? job.changedAt : uploadedAt;
    return [{ kind: 'upload', jobId, source, heardAt }];
  });
  return [...uploads, ...jobs.flatMap(openWorkOf)];
}

/** A job without a plan is an upload, or nobody knows any more what was asked for. */
function openWorkOf({
  jobId,
  changedAt: heardAt,
  hasEnded,
  plan,
  done,
}: JobFacts): readonly OpenWork[] {
  if (hasEnded || !plan) return [];
  if (plan === 'unreadable') return [{ kind: 'job', jobId, heardAt }];
  const { source, units } = plan;
  const missing = units.filter((unit) => !done.has(unit));
  if (missing.length === 0) return [{ kind: 'job', jobId, source, heardAt }];
  return missing.map((unit) => ({ kind: 'unit', jobId, unit, source, heardAt }));
}

/**
 * The work that nobody holds, the quietest first. Any message of the queue may be that of any open work, so no
 * more is lost than there are messages too few; and nothing is that was heard of a short while ago.
 */
export function lostWork(facts: WorkFacts, now: Date): readonly OpenWork[] {
  const open = openWork(facts);
  const before = now.getTime() - STALLED_MILLISECONDS;
  return open
    .filter(({ heardAt }) => heardAt.getTime() <= before)
    .toSorted((a, b) => a.heardAt.getTime() - b.heardAt.getTime())
    .slice(0, Math.max(0, open.length - facts.held));
}
