import { runCommand, unlessStopped } from '../commands/command.ts';
import { readJobs } from '../commands/overview.ts';
import { print, printJson } from '../commands/terminal.ts';
import { openJobQueue } from '../worker/io/job-queue.ts';
import { STATUS_HELP, readStatusOptions } from './options.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { statusText } from './status-text.ts';
import type { Status } from './status-text.ts';

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
  const { name, origin, home, env, workers } = stage;
  const [counts, queue, letters, jobs] = await Promise.all([
    workers.counts(),
    openJobQueue(home, env).counts(),
    home.queue(env.DEAD_LETTER_QUEUE).counts(),
    readJobs(home.store, env.WORK_BUCKET, last),
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
