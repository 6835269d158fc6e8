import type { AssetEvent, ReadyEvent } from '../../core/model/asset.ts';
import { leftOutSentences } from '../../core/model/left-out.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { mistakeInFile } from '../cli/arguments.ts';
import { nameOf } from '../cli/file-name.ts';
import type { FileResult, Report } from '../cli/report.ts';
import { submit } from './submit.ts';
import type { Names, Source, Submission } from './submit.ts';
import { watchJob } from './watch.ts';

type ReadyResult = Extract<FileResult, { status: 'ready' }>;

/** Where files are processed, and who gets the reports. */
export interface Processing {
  readonly backend: Backend;
  readonly names: Names;
  /** How often a job is polled. */
  readonly pollMilliseconds: number;
  /** Whether to wait for the assets. */
  readonly wait: boolean;
  /** Called once a file is uploaded. */
  readonly onSubmitted?: () => Promise<void>;
  /** Returns where a finished asset is. */
  readonly find: (
    event: ReadyEvent,
  ) => Promise<Pick<ReadyResult, 'playlist' | 'page' | 'exported'>>;
  readonly report: Report;
  readonly stop: AbortSignal;
}

/**
 * Uploads the files one after another while the uploaded ones are processed. A file that fails does not stop the others.
 * Throws the signal's reason when it is stopped.
 */
export async function processFiles(
  sources: readonly Source[],
  processing: Processing,
): Promise<readonly FileResult[]> {
  const results: Promise<FileResult>[] = [];
  for (const source of sources) {
    processing.stop.throwIfAborted();
    const { promise: uploaded, resolve } = Promise.withResolvers<unknown>();
    const result = processFile(source, processing, () => resolve(undefined));
    // Awaited below, once all are uploaded; until then a rejection would count as unhandled.
    result.catch(() => undefined);
    results.push(result);
    await uploaded;
  }
  return Promise.all(results);
}

async function processFile(
  source: Source,
  processing: Processing,
  onUploaded: () => void,
): Promise<FileResult> {
  const { report, stop } = processing;
  let result: FileResult;
  try {
    const mistake = mistakeInFile(source.file);
    if (mistake !== undefined) throw new Error(mistake);
    result = await makeAsset(source, processing, onUploaded);
  } catch (error) {
    if (stop.aborted) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    result = { source: nameOf(source.file), status: 'failed', code: 'failed', reason };
  } finally {
    onUploaded();
  }
  report.result(source.file, result);
  return result;
}

async function makeAsset(
  source: Source,
  processing: Processing,
  onUploaded: () => void,
): Promise<FileResult> {
  const { backend, names, pollMilliseconds, wait, report, stop } = processing;
  const { file } = source;
  const started = performance.now();
  const elapsedSeconds = () => Math.round((performance.now() - started) / 100) / 10;
  const { assetId, jobId } = await upload(source, processing).catch((error: unknown) => {
    throw withContext(
      'It is not uploaded. Run the same command again: what was sent is kept.',
      error,
    );
  });
  onUploaded();
  if (!wait) {
    const status = 'uploaded' as const;
    return { source: nameOf(file), status, assetId, jobId, elapsedSeconds: elapsedSeconds() };
  }
  const event = await watchJob({
    catalog: { store: backend.store, config: names },
    jobId,
    pollMilliseconds,
    signal: stop,
    onProgress: (done) =>
      report.progress(file, done === undefined ? 'waiting' : 'processing', done ?? 0),
  }).catch((error: unknown) => {
    throw withContext('It is uploaded, but how it goes on cannot be seen.', error);
  });
  return describe(file, event, processing, elapsedSeconds);
}

async function upload(
  source: Source,
  { backend, names, onSubmitted, report, stop }: Processing,
): Promise<Submission> {
  const { file } = source;
  const onSent = (step: 'comparing' | 'uploading', done: number) =>
    report.progress(file, step, done);
  const submission = await submit(backend, names, source, onSent, stop);
  if (submission.replaces) {
    report.note(
      `${nameOf(file)} takes the place of another file by that name, uploaded at ${submission.replaces.toISOString()}; if that one is still worked on, it is rejected.`,
    );
  }
  await onSubmitted?.();
  return submission;
}

function withContext(what: string, error: unknown): Error {
  return new Error(`${what} (${error instanceof Error ? error.message : String(error)})`, {
    cause: error,
  });
}

async function describe(
  file: string,
  event: AssetEvent,
  processing: Processing,
  elapsedSeconds: () => number,
): Promise<FileResult> {
  const source = nameOf(file);
  if (event.type !== 'asset.ready') {
    const status = event.type === 'asset.rejected' ? 'rejected' : 'failed';
    return { source, status, code: event.code, reason: event.reason };
  }
  const { assetId, durationSeconds, renditions, leftOut } = event;
  return {
    source,
    status: 'ready',
    assetId,
    ...(await processing.find(event)),
    durationSeconds,
    renditions: renditions.map(({ name }) => name),
    leftOut: leftOutSentences(leftOut),
    elapsedSeconds: elapsedSeconds(),
  };
}
