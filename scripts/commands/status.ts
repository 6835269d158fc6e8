import { runCommand, unlessStopped } from '../cli/command.ts';
import { readJobs } from '../../core/catalog/overview.ts';
import { print, printJson } from '../cli/terminal.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { STATUS_HELP, readStatusOptions } from './stage-options.ts';
import { openStage } from '../aws/stage.ts';
import type { Stage } from '../aws/stage.ts';
import { statusText } from '../aws/status-text.ts';
import type { Status } from '../aws/status-text.ts';

await runCommand({
  name: './scripts/status',
  help: STATUS_HELP,
  stopping: 'Stopped.',
  read: readStatusOptions,
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
    ...{ stage: name, origin, workers: counts, queue },
    deadLetters: letters.visible + letters.inFlight + letters.delayed,
    jobs: { open: jobs.open, ended: { ...jobs.ended, newest } },
  };
}
