import type { StageConfig } from '../../infra/config.ts';
import { readStages } from '../../infra/stages.ts';
import { UsageError } from '../cli/arguments.ts';

/** Finds a declared stage by name. Throws UsageError with the declared names if there is none. */
export async function findStage(name: string): Promise<StageConfig> {
  const stages = await readStages();
  const found = stages.find((config) => config.name === name);
  if (found) return found;
  const names = stages.map((config) => config.name).join(', ');
  throw new UsageError(`There is no stage ${name}. infra/config.ts has ${names}.`);
}
