import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLocalHome } from '../worker/io/local/home.ts';
import { LOCAL_LAYOUT, LOCAL_NAMES, layoutEnv } from '../worker/io/local/layout.ts';
import type { Home } from '../worker/io/ports.ts';
import { createLog } from '../worker/log.ts';
import type { AssetEvent } from '../worker/plan/asset.ts';
import { requireNode } from '../worker/runtime.ts';
import { makeDemoClip } from './demo-clip.ts';
import { startEdge } from './edge/server.ts';
import { exportAsset } from './export.ts';
import { listAssets } from './library.ts';
import { HELP, UsageError, readOptions } from './options.ts';
import type { Options } from './options.ts';
import { createReport } from './report.ts';
import type { FileResult, Report } from './report.ts';
import { submit } from './submit.ts';
import { watchJob } from './watch.ts';
import { startWorkers } from './workers.ts';

const DEFAULT_DATA = fileURLToPath(new URL('../data', import.meta.url));
const { workBucket, deliveryBucket } = LOCAL_NAMES;

try {
  requireNode();
  const options = readOptions(process.argv.slice(2), DEFAULT_DATA);
  if (options === 'help') process.stdout.write(HELP);
  else process.exitCode = await main(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof UsageError) process.stderr.write('See ./scripts/start --help.\n');
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

/** One machine: home, edge and workers; the files through them; then the videos until Ctrl-C. */
async function main(options: Options): Promise<number> {
  const terminal = process.stdout.isTTY;
  // Logs and bars on one screen would overwrite each other.
  const level = terminal ? 'silent' : 'info';
  const log = createLog(level);
  const stop = stopSignal();
  await writable(options.dataDirectory, '--data');
  if (options.exportDirectory) await writable(options.exportDirectory, '--export');
  const home = await openLocalHome({ directory: options.dataDirectory, layout: LOCAL_LAYOUT });
  const { store } = home;
  const edge = await startEdge({
    ...{ store, deliveryBucket, log },
    port: options.port,
    allowedSites: options.allowedSites,
    listAssets: () => listAssets(store, deliveryBucket),
  });
  const env = { ...layoutEnv(options.dataDirectory), LOG_LEVEL: terminal ? 'fatal' : 'info' };
  const workers = startWorkers(options.workers, env, log);
  const report = createReport(terminal);
  try {
    await home.sweep();
    const files =
      options.files.length > 0
        ? options.files
        : [await makeDemoClip(join(options.dataDirectory, 'demo'), log, stop)];
    const work = files.map((file) => processFile(home, file, edge.origin, options, report, stop));
    const results = await Promise.race([Promise.all(work), workers.failed]);
    report.close();
    if (options.once) return results.every(({ status }) => status === 'ready') ? 0 : 1;
    const say = terminal ? process.stdout : process.stderr;
    say.write(`All videos: ${edge.origin}/\nPress Ctrl-C to stop.\n`);
    await Promise.race([once(stop, 'abort'), workers.failed]);
    return 0;
  } catch (error) {
    if (!stop.aborted) throw error;
    return options.once ? 1 : 0;
  } finally {
    report.close();
    await workers.stop();
    await edge.close();
    await home.close();
  }
}

async function processFile(
  home: Home,
  file: string,
  origin: string,
  options: Options,
  report: Report,
  stop: AbortSignal,
): Promise<FileResult> {
  const started = performance.now();
  const { store } = home;
  const { jobId } = await submit(home, file, (done) => report.progress(file, 'uploading', done));
  const onProgress = (done: number) => report.progress(file, 'processing', done);
  const event = await watchJob(store, workBucket, jobId, onProgress, stop);
  const exported =
    event.type === 'asset.ready' && options.exportDirectory
      ? await exportAsset(store, deliveryBucket, event, options.exportDirectory)
      : undefined;
  const elapsedSeconds = Math.round((performance.now() - started) / 100) / 10;
  const result = describe(file, event, origin, exported, elapsedSeconds);
  report.result(file, result);
  return result;
}

function describe(
  file: string,
  event: AssetEvent,
  origin: string,
  exported: string | undefined,
  elapsedSeconds: number,
): FileResult {
  const source = basename(file);
  if (event.type !== 'asset.ready') {
    const status = event.type === 'asset.rejected' ? 'rejected' : 'failed';
    return { source, status, code: event.code, reason: event.reason };
  }
  const { assetId, playlist, durationSeconds, renditions } = event;
  return {
    ...{ source, status: 'ready', assetId },
    playlist: `${origin}/${playlist}`,
    page: `${origin}/watch/${assetId}`,
    ...(exported ? { exported } : {}),
    durationSeconds,
    renditions: renditions.map(({ name }) => name),
    elapsedSeconds,
  };
}

/** Ctrl-C once ends gracefully; twice, at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    process.stderr.write('\nStopping; unfinished work goes on at the next start.\n');
    stop.abort(new Error('It was stopped.'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return stop.signal;
}

async function writable(directory: string, option: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw new UsageError(`${option}: the folder ${directory} cannot be written.`, { cause: error });
  }
}
