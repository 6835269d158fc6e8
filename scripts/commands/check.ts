import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from '../cli/arguments.ts';
import { runCommand, unlessStopped } from '../cli/command.ts';
import { reconciledText } from '../cli/reconciled.ts';
import { print, printJson } from '../cli/terminal.ts';
import type { WorkerEnv } from '../../core/environment.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { openLocalBackend } from '../../core/storage/local/backend.ts';
import { INDEX, LOCAL_LAYOUT, layoutEnv } from '../../core/storage/local/layout.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { inspect, repair } from '../../core/catalog/reconcile.ts';
import { CHECK_HELP, readCheckOptions } from './stage-options.ts';
import type { CheckOptions } from './stage-options.ts';

const DEFAULT_DATA = fileURLToPath(new URL('../../data', import.meta.url));

interface Opened {
  readonly name: string;
  readonly backend: Backend;
  readonly env: Pick<
    WorkerEnv,
    'SOURCE_BUCKET' | 'WORK_BUCKET' | 'DELIVERY_BUCKET' | 'JOB_QUEUE' | 'UNIT_QUEUE'
  >;
  close(): Promise<void>;
}

await runCommand({
  name: './scripts/check',
  help: CHECK_HELP,
  stopping: 'Stopped. What was not sent again is found the next time.',
  read: (argv) => readCheckOptions(argv, DEFAULT_DATA),
  run: async (options, stop) => {
    const opened = await unlessStopped(open(options), stop);
    try {
      const { name, backend, env } = opened;
      const catalog = { store: backend.store, jobs: openJobQueue(backend, env), config: env };
      const found = await unlessStopped(inspect(catalog), stop);
      const repairs = options.plan ? undefined : await repair(catalog, found, stop);
      const reconciled = { place: name, ...found, ...repairs };
      if (options.json) printJson(reconciled);
      else print(reconciledText(reconciled, new Date()));
      return repairs && repairs.sent.length < found.lost.length ? 1 : 0;
    } finally {
      await opened.close();
    }
  },
});

async function open(options: CheckOptions): Promise<Opened> {
  if ('stage' in options) {
    // Loaded when it is needed: one machine has no use for AWS.
    const { openStage } = await import('../aws/stage.ts');
    const stage = await openStage(options.stage);
    return { ...stage, name: `Stage ${stage.name}` };
  }
  const { data } = options;
  // Opening it would make a new one.
  if (!existsSync(join(data, INDEX))) {
    throw new UsageError(`${JSON.stringify(data)} is no data folder: it has no ${INDEX}.`);
  }
  const backend = await openLocalBackend({ directory: data, layout: LOCAL_LAYOUT });
  return { name: data, backend, env: layoutEnv(data), close: () => backend.close() };
}
