import { basename } from 'node:path';
import { LOCAL_NAMES } from '../worker/io/local/layout.ts';
import type { Home } from '../worker/io/ports.ts';
import type { AssetEvent } from '../worker/plan/asset.ts';
import { exportAsset } from './export.ts';
import type { FileResult, Report } from './report.ts';
import { submit } from './submit.ts';
import { watchJob } from './watch.ts';

/** Where files are processed, and who is told. */
export interface Processing {
  readonly home: Home;
  /** Of the edge: `http://127.0.0.1:8080` */
  readonly origin: string;
  readonly exportDirectory?: string | undefined;
  readonly report: Report;
  readonly stop: AbortSignal;
}

const { workBucket, deliveryBucket } = LOCAL_NAMES;

/**
 * Uploads the files one after the other, while those that are uploaded are worked on; one that fails
 * is no matter of the others. Throws the signal's reason when it is stopped.
 */
export async function processFiles(
  files: readonly string[],
  processing: Processing,
): Promise<readonly FileResult[]> {
  const results: Promise<FileResult>[] = [];
  for (const file of files) {
    processing.stop.throwIfAborted();
    const { promise: uploaded, resolve } = Promise.withResolvers<unknown>();
    const result = processFile(file, processing, () => resolve(undefined));
    // Looked at below, when all are uploaded; until then nobody does.
    result.catch(() => undefined);
    results.push(result);
    await uploaded;
  }
  return Promise.all(results);
}

async function processFile(
  file: string,
  processing: Processing,
  onUploaded: () => void,
): Promise<FileResult> {
  const { report, stop } = processing;
  let result: FileResult;
  try {
    result = await makeAsset(file, processing, onUploaded);
  } catch (error) {
    if (stop.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    result = { source: basename(file), status: 'failed', code: 'failed', reason };
  }
  report.result(file, result);
  return result;
}

async function makeAsset(
  file: string,
  { home, origin, exportDirectory, report, stop }: Processing,
  onUploaded: () => void,
): Promise<FileResult> {
  const started = performance.now();
  const onSent = (done: number) => report.progress(file, 'uploading', done);
  const { jobId } = await submit(home, file, onSent, stop).finally(onUploaded);
  const onProgress = (done: number) => report.progress(file, 'processing', done);
  const event = await watchJob(home.store, workBucket, jobId, onProgress, stop);
  const exported =
    event.type === 'asset.ready' && exportDirectory
      ? await exportAsset(home.store, deliveryBucket, event, exportDirectory)
      : undefined;
  const elapsedSeconds = Math.round((performance.now() - started) / 100) / 10;
  return describe(file, event, origin, exported, elapsedSeconds);
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
