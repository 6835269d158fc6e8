/** Finds work without a message, from one snapshot of the buckets and the number of messages. */

/**
 * Work can only count as lost after this long without any sign of progress. Workers write progress notes every few
 * seconds, and failed work is tried again within minutes.
 */
export const STALLED_MILLISECONDS = 600_000;

export interface SourceFacts {
  /** The job that an upload with default options starts. */
  readonly jobId: string;
  readonly source: { readonly bucket: string; readonly key: string; readonly etag: string };
  readonly uploadedAt: Date;
  /** Whether its asset is published. The documents of its job may have expired then. */
  readonly isPublished: boolean;
}

export interface JobFacts {
  readonly jobId: string;
  /** The time of the job's newest object. */
  readonly changedAt: Date;
  readonly hasEnded: boolean;
  readonly plan?: PlanFacts | 'unreadable' | undefined;
  /** The names of the units with a marker. */
  readonly done: ReadonlySet<string>;
}

export interface PlanFacts {
  /** The key of the source. */
  readonly source: string;
  readonly units: readonly string[];
}

export interface WorkFacts {
  /** The number of messages in the queues of work: visible, in flight and delayed. */
  readonly held: number;
  readonly sources: readonly SourceFacts[];
  readonly jobs: readonly JobFacts[];
}

/** Work that needs one message: a source without a plan, a unit, or a job that only has to be published. */
export type OpenWork = {
  readonly jobId: string;
  /** The time of the last sign of progress. `check --json` prints this field. */
  readonly heardAt: Date;
} & (
  | { readonly kind: 'upload'; readonly source: SourceFacts['source'] }
  | { readonly kind: 'unit'; readonly unit: string; readonly source: string }
  /** All units are done and the job is not published, or its plan cannot be read. */
  | { readonly kind: 'job'; readonly source?: string | undefined }
);

/** Lists all open work. Each piece should have a message. */
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

/** Empty for a job without a plan: either its upload counts as open work, or its request is unknown. */
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
 * Selects the lost work. Each message can belong to any open work, so the number of lost pieces is the number of
 * missing messages. The pieces with the longest silence count as lost, but none with a recent sign of progress.
 */
export function lostWork(facts: WorkFacts, now: Date): readonly OpenWork[] {
  const open = openWork(facts);
  const before = now.getTime() - STALLED_MILLISECONDS;
  return open
    .filter(({ heardAt }) => heardAt.getTime() <= before)
    .toSorted((a, b) => a.heardAt.getTime() - b.heardAt.getTime())
    .slice(0, Math.max(0, open.length - facts.held));
}
