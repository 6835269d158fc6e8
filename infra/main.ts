import { App } from 'cdktf';
import { ADOPTED, adoptedSchema, importAdopted } from './adopted.ts';
import type { Adopted } from './adopted.ts';
import { ComputeStack } from './compute.ts';
import { checkStages } from './config.ts';
import type { StageConfig } from './config.ts';
import { DeliveryStack } from './delivery.ts';
import { imageMonth, imageTag } from './image.ts';
import { MonitoringStack } from './monitoring.ts';
import { QueuesStack } from './queues.ts';
import { readStages } from './stages.ts';
import { StateStack } from './state.ts';
import { StorageStack } from './storage.ts';

/**
 * Declares a stage's stacks. They depend on each other like this:
 *
 *     storage ← queues ← compute
 *     storage ← delivery
 *     storage, queues, delivery ← monitoring
 */
export function declareStage(app: App, config: StageConfig, endpoint?: string): void {
  const stage = { config, endpoint };
  const storage = new StorageStack(app, stage);
  const { sourceBucket, deliveryBucket, logBucket } = storage;
  const queues = new QueuesStack(app, { ...stage, sourceBucket });
  const { distribution } = new DeliveryStack(app, { ...stage, deliveryBucket, logBucket });
  new ComputeStack(app, {
    ...stage,
    storage,
    queues,
    imageTag: imageTag(config.worker.architecture, imageMonth()),
  });
  new MonitoringStack(app, { ...stage, queues, distribution, deliveryBucket });
  if (config.state) new StateStack(app, { ...stage, bucket: config.state.bucket });
}

/** Writes the Terraform configuration of every stage. Throws Error naming every mistake in them. */
export function synthesise(
  stages: readonly StageConfig[],
  options: {
    readonly outdir?: string;
    readonly endpoint?: string | undefined;
    readonly adopted?: Adopted;
  } = {},
): void {
  const { outdir, endpoint, adopted = [] } = options;
  const app = new App(outdir === undefined ? {} : { outdir });
  for (const config of checkStages(stages)) declareStage(app, config, endpoint);
  importAdopted(app, adopted);
  app.synth();
}

if (process.argv[1] === import.meta.filename) {
  try {
    const adopted = adoptedSchema.parse(JSON.parse(process.env[ADOPTED] ?? '[]'));
    synthesise(await readStages(), { endpoint: process.env['AWS_ENDPOINT_URL'], adopted });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
