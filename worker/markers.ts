import { UnreadableError } from '../core/model/errors.ts';
import { jobKeys } from '../core/model/keys.ts';
import { parseMarker } from '../core/model/units.ts';
import type { Marker } from '../core/model/units.ts';
import { readDocument } from '../core/storage/documents.ts';
import { planVersion } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import type { Services } from './services.ts';

/**
 * The marker of a unit. Undefined if the unit has to be made: there is no marker, it is unreadable, or it belongs to an
 * earlier plan of the job.
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
