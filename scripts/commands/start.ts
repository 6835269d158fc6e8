import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expireDeletionMarks } from '../../core/catalog/deletion.ts';
import { inspect, logReconciliation, repair } from '../../core/catalog/reconcile.ts';
import type { WorkerEnv } from '../../core/environment.ts';
import { createLog } from '../../core/log.ts';
import type { Logger } from '../../core/log.ts';
import { BackendLostError } from '../../core/model/errors.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import { PRIVATE_FOLDER, makeFolder } from '../../core/storage/folder.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { openLocalBackend } from '../../core/storage/local/backend.ts';
import type { LocalBackend } from '../../core/storage/local/backend.ts';
import { LOCAL_LAYOUT, layoutEnv } from '../../core/storage/local/layout.ts';
import { siteOf } from '../../edge/sites.ts';
import { openStudio } from '../../studio/server/open-studio.ts';
import { UsageError, mistakesInFiles, scriptCommand, systemReason } from '../cli/arguments.ts';
import { subcommand } from '../cli/command.ts';
import { nameOf, pathOf } from '../cli/file-name.ts';
import { sentText } from '../cli/reconciled.ts';
import { createReport } from '../cli/report.ts';
import { isTerminal, say } from '../cli/terminal.ts';
import { count } from '../cli/text.ts';
import { makeDemoClip } from '../files/demo-clip.ts';
import { processFiles } from '../files/process.ts';
import { exportAsset } from '../local/export.ts';
import { announceUnfinished, rebuild } from '../local/rebuild.ts';
import { startWorkers } from '../local/workers.ts';
import { listAssets } from '../pages/listed-assets.ts';
import { startSite } from '../pages/site.ts';

const DEFAULT_DATA = fileURLToPath(new URL('../../data', import.meta.url));
const deliveryBucket = BUCKETS.delivery;
/** Polling the local index costs next to nothing. */
const POLL_MILLISECONDS = 250;
/** The studio polls every job, not only one. */
const STUDIO_POLL_MILLISECONDS = 1000;
const INDEX_POLL_MILLISECONDS = 1000;

interface StartOptions {
  readonly files: readonly string[];
  readonly once: boolean;
  readonly exportDirectory?: string;
  readonly workers: number;
  readonly port: number;
  readonly dataDirectory: string;
  readonly allowedSites: readonly string[];
  readonly rebuild: boolean;
  readonly soundAlone: NonNullable<WorkerEnv['SOUND_ALONE']>;
}

export const command = subcommand({
  define: () =>
    scriptCommand('start')
      .description(
        'Turns video files into adaptive HLS and serves them on this machine, until Ctrl-C. Without a file it makes ' +
          'a short clip and plays it.\n\n' +
          'On a terminal there is a progress bar for each file. Otherwise each file becomes one line of JSON on ' +
          'standard output, and logs go to standard error.',
      )
      .argument('[file...]')
      .option(
        '--once',
        'end when the given files are done; the exit code is 0 only if all are ready',
      )
      .option(
        '--export <folder>',
        'copy each finished asset to the folder, as files for any web server',
      )
      .option('--workers <number>', 'worker processes (default: one for each core)')
      .option(
        '--port <number>',
        'the port of the pages and videos; 0 for any free port (default: 8080)',
      )
      .option('--data <folder>', 'where everything is kept (default: data, beside this program)')
      .option(
        '--allow <site>',
        'an origin whose pages may show the videos, https://site.example, or https://*.site.example for its ' +
          'subdomains; can be given several times',
      )
      .option(
        '--refuse-sound-alone',
        'reject files that have sound but no moving picture, such as recordings of speech and music; by default ' +
          'they become assets with a poster',
      )
      .option(
        '--rebuild',
        'first rebuild the index of the data folder, if it is lost or damaged, from what is kept beside each file; ' +
          'safe to interrupt',
      ),
  stopping: 'Stopping; unfinished work continues at the next start.',
  read: (line): StartOptions => {
    const files = line.words;
    const workers = line.wholeNumber('workers', [1, 64], Math.min(64, availableParallelism()));
    const port = line.wholeNumber('port', [0, 65_535], 8080);
    const allowedSites = line.values('allow').flatMap((text) => {
      const site = siteOf(text);
      if (site !== undefined) return [site];
      line.mistakes.push(
        `--allow takes an origin like https://site.example, not ${JSON.stringify(text)}.`,
      );
      return [];
    });
    line.mistakes.push(...mistakesInFiles(files));
    const once = line.has('once');
    if (once && files.length === 0) line.mistakes.push('--once needs the files to wait for.');
    const exportDirectory = line.value('export');
    return {
      files,
      once,
      ...(exportDirectory ? { exportDirectory: resolve(exportDirectory) } : {}),
      workers,
      port,
      dataDirectory: resolve(line.value('data') ?? DEFAULT_DATA),
      allowedSites,
      rebuild: line.has('rebuild'),
      soundAlone: line.has('refuseSoundAlone') ? 'refused' : 'taken',
    };
  },
  run: main,
});

/** Starts the backend, the edge and the workers of one machine, processes the files, and serves until Ctrl-C. */
async function main(options: StartOptions, stop: AbortSignal): Promise<number> {
  const terminal = isTerminal();
  // On a terminal, logs and progress bars would overwrite each other.
  const level = terminal ? 'silent' : 'info';
  const log = createLog(level);
  await requireWritable(options.dataDirectory, '--data', PRIVATE_FOLDER);
  if (options.exportDirectory) await requireWritable(options.exportDirectory, '--export');
  if (options.rebuild) await rebuild(options.dataDirectory);
  const backend = await openLocalBackend({
    directory: options.dataDirectory,
    layout: LOCAL_LAYOUT,
  });
  const { store } = backend;
  const names = layoutEnv(options.dataDirectory);
  if (options.rebuild) say(sentText(await announceUnfinished(backend, names)));
  const edge = await startSite({
    store,
    deliveryBucket,
    log,
    port: options.port,
    allowedSites: options.allowedSites,
    listAssets: () => listAssets({ store, config: names }),
    studio: (origin) =>
      openStudio({
        backend,
        names,
        origin,
        log,
        backendName: 'this machine',
        pollMilliseconds: STUDIO_POLL_MILLISECONDS,
      }),
  });
  const env: WorkerEnv = {
    ...names,
    LOG_LEVEL: terminal ? 'fatal' : 'info',
    SOUND_ALONE: options.soundAlone,
  };
  const workers = startWorkers(options.workers, env, log);
  const report = createReport(stop);
  const watch = watchBackend(backend);
  const failed = Promise.race([workers.failed, watch.lost]);
  // It may reject before anything awaits it; that must not count as an unhandled rejection.
  failed.catch(() => undefined);
  if (!options.once) say(addressesText(edge.origin));
  let sweeping: NodeJS.Timeout | undefined;
  try {
    sweeping = await keepSwept(backend, names, log);
    if (options.files.length === 0) {
      say('Making a first video, half a minute long. This takes a moment …');
    }
    const files =
      options.files.length > 0
        ? options.files
        : [await makeDemoClip(join(options.dataDirectory, 'demo'), stop)];
    const work = processFiles(
      files.map((file) => ({ file, key: sourceKey(file) })),
      {
        backend,
        names: env,
        pollMilliseconds: POLL_MILLISECONDS,
        wait: true,
        report,
        stop,
        find: async (event) => ({
          playlist: `${edge.origin}/${event.playlist}`,
          page: `${edge.origin}/watch/${event.assetId}`,
          ...(options.exportDirectory
            ? { exported: await exportAsset(store, deliveryBucket, event, options.exportDirectory) }
            : {}),
        }),
      },
    );
    const results = await Promise.race([work, failed]);
    report.close();
    if (options.once) return results.every(({ status }) => status === 'ready') ? 0 : 1;
    say(`${addressesText(edge.origin)}\nPress Ctrl-C to stop.`);
    if (!stop.aborted) await Promise.race([once(stop, 'abort'), failed]);
    return 0;
  } catch (error) {
    if (!stop.aborted) throw error;
    return options.once ? 1 : 0;
  } finally {
    report.close();
    clearInterval(sweeping);
    watch.stop();
    await workers.stop();
    await edge.close();
    await backend.close();
  }
}

function addressesText(origin: string): string {
  return `All videos: ${origin}/\nUpload and look after them: ${origin}/studio/`;
}

/** Sweeps, backs up, sends lost work again and removes unreferenced versions: now and every hour, as a machine may serve for months. */
async function keepSwept(
  backend: LocalBackend,
  names: WorkerEnv,
  log: Logger,
): Promise<NodeJS.Timeout> {
  const catalog = { store: backend.store, jobs: openJobQueue(backend, names), config: names };
  const sweep = async () => {
    const unknown = await backend.sweep();
    await expireDeletionMarks(catalog);
    if (unknown > 0) log.warn({ event: 'sweep.unknown', files: unknown });
    try {
      await backend.backUp();
    } catch (error) {
      // A full disk, for example. What is stored stays intact.
      log.error({ event: 'backup.failed', err: error });
    }
    const found = await inspect(catalog);
    const repairs = await repair(catalog, found);
    logReconciliation(log, found, repairs);
    return { unknown, sent: repairs.sent };
  };
  const { unknown, sent } = await sweep();
  if (unknown > 0) say(unknownText(unknown));
  if (sent.length > 0) say(sentText(sent));
  return setInterval(
    () => void sweep().catch((error: unknown) => log.warn({ event: 'sweep.failed', err: error })),
    3_600_000,
  ).unref();
}

function unknownText(files: number): string {
  return (
    `The index does not know ${count(files, 'file')} of the data folder, and leaves them alone. ` +
    'If it is an older copy, move index.sqlite away and start with --rebuild.'
  );
}

/** Rejects when the index is lost, because objects that are stored afterwards could not be found. */
function watchBackend(backend: LocalBackend): { readonly lost: Promise<never>; stop(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const check = () => {
    try {
      backend.checkIndex();
    } catch (error) {
      if (error instanceof BackendLostError) reject(error);
    }
  };
  const timer = setInterval(check, INDEX_POLL_MILLISECONDS);
  return { lost: promise, stop: () => clearInterval(timer) };
}

/** Files of the same name in different folders are different sources. */
function sourceKey(file: string): string {
  const folder = createHash('sha256')
    .update(pathOf(resolve(file)))
    .digest('hex')
    .slice(0, 8);
  return `uploads/${folder}/${nameOf(file)}`;
}

/** Creates a folder that an option names, and tries to write: for root, permissions do not tell whether that is possible. */
async function requireWritable(directory: string, option: string, mode?: number): Promise<void> {
  try {
    await makeFolder(directory, mode);
    await rmdir(await mkdtemp(join(directory, '.vodstack-')));
  } catch (error) {
    throw new UsageError(
      `${option}: the folder ${JSON.stringify(directory)} cannot be written: ${systemReason(error)}.`,
      { cause: error },
    );
  }
}
