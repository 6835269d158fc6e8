import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect, repair } from '../../core/catalog/reconcile.ts';
import type { WorkerEnv } from '../../core/environment.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { openLocalBackend } from '../../core/storage/local/backend.ts';
import { INDEX, LOCAL_LAYOUT, layoutEnv } from '../../core/storage/local/layout.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { UsageError, scriptCommand } from '../cli/arguments.ts';
import { subcommand, unlessStopped } from '../cli/command.ts';
import { reconciledText } from '../cli/reconciled.ts';
import { print, printJson } from '../cli/terminal.ts';

const DEFAULT_DATA = fileURLToPath(new URL('../../data', import.meta.url));

type CheckOptions = { readonly plan: boolean; readonly json: boolean } & (
  { readonly stage: string } | { readonly data: string }
);

interface Opened {
  readonly name: string;
  readonly backend: Backend;
  readonly env: Pick<
    WorkerEnv,
    'SOURCE_BUCKET' | 'WORK_BUCKET' | 'DELIVERY_BUCKET' | 'JOB_QUEUE' | 'UNIT_QUEUE'
  >;
  close(): Promise<void>;
}

export const command = subcommand({
  define: () =>
    scriptCommand('check')
      .description(
        'Finds work whose message was lost, on this machine or in a stage, and sends it again: uploads that never ' +
          'became a job, units that no worker holds, and finished jobs that were not published. Removes versions ' +
          'that no video refers to, 14 days after a check first found them: versions of replaced videos, and ' +
          'what rejected and failed jobs have left.\n\n' +
          'It is safe at any time, also while workers run: work that is done is not done again. It sends nothing ' +
          'that showed progress in the last ten minutes, and nothing while the queue holds as many messages as ' +
          'there is work. It removes nothing of a video that is being processed. The exit code is 1 if a job cannot ' +
          'be sent again because its request is lost.',
      )
      .argument('[stage]', 'a stage (default: this machine)')
      .option(
        '--data <folder>',
        'the data folder of this machine (default: data, beside this program)',
      )
      .option('--plan', 'only show what is found; send and remove nothing')
      .option('--json', 'print one line of JSON'),
  stopping: 'Stopped. The next check finds what was not sent again.',
  read: (line): CheckOptions => {
    const flags = { plan: line.has('plan'), json: line.has('json') };
    const data = line.value('data');
    if (line.words.length === 0) return { ...flags, data: resolve(data ?? DEFAULT_DATA) };
    const stage = line.stage();
    if (data !== undefined) line.mistakes.push('--data is for one machine, not a stage.');
    return { ...flags, stage };
  },
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
    // Loaded on demand: one machine does not need the AWS SDK.
    const { openStage } = await import('../aws/stage.ts');
    const stage = await openStage(options.stage);
    return { ...stage, name: `Stage ${stage.name}` };
  }
  const { data } = options;
  // Opening a missing data folder would make a new one.
  if (!existsSync(join(data, INDEX))) {
    throw new UsageError(`${JSON.stringify(data)} is no data folder: it has no ${INDEX}.`);
  }
  const backend = await openLocalBackend({ directory: data, layout: LOCAL_LAYOUT });
  return { name: data, backend, env: layoutEnv(data), close: () => backend.close() };
}
