import { openStage } from '../aws/stage.ts';
import type { Stage } from '../aws/stage.ts';
import { mistakesInFiles, scriptCommand } from '../cli/arguments.ts';
import { subcommand, unlessStopped } from '../cli/command.ts';
import { nameOf } from '../cli/file-name.ts';
import { createReport } from '../cli/report.ts';
import type { Report } from '../cli/report.ts';
import { processFiles } from '../files/process.ts';

/** Workers store their progress every ten seconds. One poll is one listing; a thousand cost half a cent. */
const POLL_MILLISECONDS = 3000;

interface UploadOptions {
  readonly stage: string;
  readonly files: readonly string[];
  readonly title?: string;
  readonly wait: boolean;
}

export const command = subcommand({
  define: () =>
    scriptCommand('upload')
      .description(
        'Uploads video files to a stage, waits until they play, and prints their addresses. If an upload is ' +
          'interrupted, run the same command again: it continues where the upload stopped.\n\n' +
          'A file is known by its name: another file of the same name replaces it, as a new video. On a terminal ' +
          'there is a progress bar for each file. Otherwise each file becomes one line of JSON on standard output. ' +
          'The exit code is 0 only if all files are ready, or with --no-wait if all are uploaded.',
      )
      .argument('<stage>')
      .argument('<file...>')
      .option(
        '--title <text>',
        'the title that viewers see, instead of the name of the file; for one file',
      )
      .option('--no-wait', 'end when the files are uploaded'),
  stopping:
    'Stopped. Uploaded files are processed; run the same command again to upload the rest, and to wait.',
  read: (line): UploadOptions => {
    const [stage = line.missing('Which stage?'), ...files] = line.words;
    if (stage !== '' && files.length === 0) line.missing('Which files?');
    const names = files.map(nameOf);
    const twice = new Set(names.filter((name, index) => names.indexOf(name) < index));
    const title = line.value('title');
    line.mistakes.push(
      ...mistakesInFiles(files),
      ...[...twice].map(
        (name) =>
          `Several files are named ${JSON.stringify(name)}, but a file is known by its name. Rename them, or upload each when the one before is ready.`,
      ),
      ...(title !== undefined && files.length > 1 ? ['--title is for one file.'] : []),
    );
    return { stage, files, ...(title === undefined ? {} : { title }), wait: line.has('wait') };
  },
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
    backend,
    names: env,
    pollMilliseconds: POLL_MILLISECONDS,
    wait,
    report,
    stop,
    onSubmitted: () =>
      workers.wake().catch((error: unknown) => {
        // The file is uploaded all the same, and scaling starts a worker later.
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
