import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { checkStages, STAGES } from './config.ts';
import type { StageConfig } from './config.ts';

const stagesModule = z.object({
  STAGES: z.array(
    z.custom<StageConfig>((value) => typeof value === 'object' && value !== null, 'is no stage'),
  ),
});

/**
 * The stages that can be deployed: STAGES of infra/config.ts or, if VODSTACK_STAGES is set, of the module at that
 * path. Throws Error naming every mistake in them.
 */
export async function readStages(): Promise<readonly StageConfig[]> {
  const path = process.env['VODSTACK_STAGES'];
  if (!path) return checkStages(STAGES);
  const loaded: unknown = await import(pathToFileURL(resolve(path)).href);
  const read = stagesModule.safeParse(loaded);
  if (!read.success) throw new Error(`VODSTACK_STAGES: ${path} exports no STAGES.`);
  return checkStages(read.data.STAGES);
}
