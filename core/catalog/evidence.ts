import { z } from 'zod';
import type { JobRef } from '../model/job.ts';
import { jobKeys } from '../model/keys.ts';
import { redact } from '../model/redact.ts';
import { readDocument, writeDocument } from '../storage/documents.ts';
import type { Catalog } from './catalog.ts';

const MAX_ERROR_LENGTH = 4000;

/** A record of a failed step of a job, stored in the work bucket and shown with the dead letters. */
const evidenceSchema = z.object({
  source: z.object({ key: z.string() }),
  error: z.string(),
  // Only people read these.
  jobId: z.string().optional(),
  assetId: z.string().optional(),
  step: z.string().optional(),
  /** ISO 8601. */
  at: z.string().optional(),
});

export type Evidence = z.infer<typeof evidenceSchema>;

export function evidenceOf(
  { jobId, assetId, source: { bucket, key } }: JobRef,
  step: string,
  error: unknown,
) {
  const at = new Date().toISOString();
  return { jobId, assetId, source: { bucket, key }, step, at, error: describeError(error) };
}

const parseEvidence = (json: unknown) => evidenceSchema.parse(json);

export async function writeEvidence(
  { store, config }: Catalog<'WORK_BUCKET'>,
  evidence: ReturnType<typeof evidenceOf>,
): Promise<void> {
  const key = jobKeys(evidence.jobId).failure(evidence.step);
  await writeDocument(store, config.WORK_BUCKET, key, evidence, parseEvidence);
}

/** Undefined when there is none under that key. Throws UnreadableError. */
export function readEvidence(
  { store, config }: Catalog<'WORK_BUCKET'>,
  key: string,
): Promise<Evidence | undefined> {
  return readDocument(store, config.WORK_BUCKET, key, parseEvidence);
}

/** Describes an error without the secrets of presigned URLs. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return redact(text).slice(0, MAX_ERROR_LENGTH);
}
