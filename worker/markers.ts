import { UnreadableError } from '../core/model/errors.ts';
import { readDocument } from '../core/storage/documents.ts';
import { jobKeys } from '../core/model/keys.ts';
import { parseMarker } from '../core/model/units.ts';
import type { Marker } from '../core/model/units.ts';
import { planVersion } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import type { Services } from './services.ts';

/**
 * The marker of a unit; undefined while there is none that counts. One of another plan of the same job,
 * or one that cannot be read, does not: the unit is done again.
 */
export async function readMarker(
  { store, config }: Services,
  plan: Plan,
  unit: string,
): Promise<Marker | undefined> {
  const key = jobKeys(plan.jobId).marker(unit);
  try {
    const marker = await readDocument(store, config.WORK_BUCKET, key, parseMarker);
    return marker?.version === planVersion(plan) ? marker : undefined;
  } catch (error) {
    if (error instanceof UnreadableError) return undefined;
    throw error;
  }
}
