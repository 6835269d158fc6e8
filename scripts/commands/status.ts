import { readJobs } from '../../core/catalog/overview.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { openStage } from '../aws/stage.ts';
import type { Stage } from '../aws/stage.ts';
import { statusText } from '../aws/status-text.ts';
import type { Status } from '../aws/status-text.ts';
import { scriptCommand } from '../cli/arguments.ts';
import { subcommand, unlessStopped } from '../cli/command.ts';
import { print, printJson } from '../cli/terminal.ts';

export const command = subcommand({
  define: () =>
    scriptCommand('status')
      .description(
        'Shows how a stage is doing: its workers, its queue, the jobs in progress with their percentage, and how ' +
          'the last jobs ended.\n\n' +
          'It counts all jobs with one listing of the work bucket, and reads only the newest.',
      )
      .argument('<stage>')
      .option('--last <number>', 'show this many open and ended jobs, at most 1000 (default: 20)')
      .option('--json', 'print one line of JSON'),
  stopping: 'Stopped.',
  read: (line) => ({
    stage: line.stage(),
    json: line.has('json'),
    last: line.wholeNumber('last', [1, 1000], 20),
  }),
  run: async ({ stage: name, json, last }, stop) => {
    const stage = await unlessStopped(openStage(name), stop);
    try {
      const status = await unlessStopped(readStatus(stage, last), stop);
      if (json) printJson(status);
      else print(statusText(status, new Date()));
      return 0;
    } finally {
      await stage.close();
    }
  },
});

async function readStatus(stage: Stage, last: number): Promise<Status> {
  const { name, origin, backend, env, workers } = stage;
  const [counts, queue, letters, jobs] = await Promise.all([
    workers.counts(),
    openJobQueue(backend, env).counts(),
    backend.queue(env.DEAD_LETTER_QUEUE).counts(),
    readJobs({ store: backend.store, config: env }, last),
  ]);
  const newest = jobs.ended.newest.map((job) => ({
    ...job,
    ...(job.playlist === undefined ? {} : { playlist: `${origin}/${job.playlist}` }),
  }));
  return {
    stage: name,
    origin,
    workers: counts,
    queue,
    deadLetters: letters.visible + letters.inFlight + letters.delayed,
    jobs: { open: jobs.open, ended: { ...jobs.ended, newest } },
  };
}
