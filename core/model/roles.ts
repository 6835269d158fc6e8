/**
 * The buckets and queues by their roles. On one machine these are their names; in AWS each is the end of a name
 * (`vodstack-<stage>-jobs`, infra/names.ts).
 */

export const BUCKETS = {
  /** Uploaded files. */
  source: 'source',
  /** The state of jobs: plans, markers, progress, results. */
  work: 'work',
  /** Published files, which viewers load. */
  delivery: 'delivery',
} as const;

export const QUEUES = {
  /** Uploads, jobs, and the units that come first. */
  jobs: 'jobs',
  /** Units that can wait: core/model/precedence.ts. */
  units: 'units',
  /** Messages that were given up. */
  deadLetters: 'dead-letters',
  /** Reports of assets that are ready, rejected or failed. */
  events: 'events',
} as const;
