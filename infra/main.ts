import { App } from 'cdktf';
import { checkStages, STAGES } from './config.ts';
import type { StageConfig } from './config.ts';
import { DeliveryStack } from './delivery.ts';
import { QueuesStack } from './queues.ts';
import { StorageStack } from './storage.ts';

/** A stage's stacks, and every edge between them. */
export function declareStage(app: App, config: StageConfig, endpoint?: string): void {
  const stage = { config, endpoint };
  const { sourceBucket, deliveryBucket, logBucket } = new StorageStack(app, stage);
  new QueuesStack(app, { ...stage, sourceBucket });
  new DeliveryStack(app, { ...stage, deliveryBucket, logBucket });
}

if (process.argv[1] === import.meta.filename) {
  try {
    const app = new App();
    for (const config of checkStages(STAGES)) {
      declareStage(app, config, process.env['AWS_ENDPOINT_URL']);
    }
    app.synth();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
