import { runCommand, unlessStopped } from '../cli/command.ts';
import { nameOf } from '../cli/file-name.ts';
import { processFiles } from '../files/process.ts';
import { createReport } from '../cli/report.ts';
import type { Report } from '../cli/report.ts';
import { UPLOAD_HELP, readUploadOptions } from './stage-options.ts';
import type { UploadOptions } from './stage-options.ts';
import { openStage } from '../aws/stage.ts';
import type { Stage } from '../aws/stage.ts';

/** Workers note their progress each ten seconds; a look is one listing, a thousand cost half a cent. */
const POLL_MILLISECONDS = 3000;

await runCommand({
  name: './scripts/upload',
  help: UPLOAD_HELP,
  stopping:
    'Stopped. What is uploaded is worked on; run the same command again for the rest, and to wait.',
  read: readUploadOptions,
  run: async (options, stop) => {
    const stage = await unlessStopped(openStage(options.stage), stop);
    const report = createReport(stop);
    try {
      return await unlessStopped(upload(options, stage, report, stop), stop);
    } finally {
      report.close();
      await stage.close();
    }
  },
});

async function upload(
  { files, title, wait }: UploadOptions,
  { name, config, backend, env, origin, workers }: Stage,
  report: Report,
  stop: AbortSignal,
): Promise<number> {
  const sources = files.map((file) => ({ file, key: nameOf(file), title }));
  const results = await processFiles(sources, {
    ...{ backend, names: env, pollMilliseconds: POLL_MILLISECONDS, wait, report, stop },
    onSubmitted: () =>
      workers.wake().catch((error: unknown) => {
        // The file is uploaded all the same, and scaling looks after it.
        report.note(`No worker could be started: ${String(error)}. Scaling starts one, later.`);
      }),
    find: async ({ playlist }) => ({ playlist: `${origin}/${playlist}` }),
  });
  if (config.playbackTokens && wait) {
    report.note(`Viewers need a token in these addresses: ./scripts/play-address ${name} <asset>`);
  }
  const wanted = wait ? 'ready' : 'uploaded';
  return results.every(({ status }) => status === wanted) ? 0 : 1;
}
