import type { EndedJob, Jobs, OpenJob } from '../../core/catalog/overview.ts';
import { oneLine } from '../../core/model/printable.ts';
import type { QueueCounts } from '../../core/storage/ports.ts';
import { ago, count } from '../cli/text.ts';
import type { WorkerCounts } from './workers.ts';

/** The status of a stage, as `--json` prints it. */
export interface Status {
  readonly stage: string;
  readonly origin: string;
  readonly workers: WorkerCounts;
  /** Messages: units of work, and uploads that no worker has started. */
  readonly queue: QueueCounts;
  readonly deadLetters: number;
  readonly jobs: Jobs;
}

/** Formats the status as text. Names come last in a line, as their width is unknown. */
export function statusText(status: Status, now: Date): string {
  const { stage, origin, workers, queue, deadLetters, jobs } = status;
  const { open, ended } = jobs;
  const lines = [
    `Stage ${stage}, ${origin}`,
    '',
    `  workers       ${workers.running} running, ${workers.starting} starting, ${workers.wanted} wanted`,
    `  queue         ${queue.visible} waiting, ${queue.inFlight} in work, ${queue.delayed} later`,
    `  dead letters  ${deadLetters > 0 ? `${deadLetters}: ./scripts/dead-letters ${stage} list` : 'none'}`,
    '',
    heading('in work', open.total, open.newest.length),
    ...open.newest.flatMap((job) => openLines(job, now)),
    '',
    heading('ended', ended.total, ended.newest.length),
    ...ended.newest.flatMap((job) => endedLines(job, now)),
  ];
  return `${lines.join('\n')}\n`;
}

function heading(what: string, total: number, listed: number): string {
  return `${count(total, 'job')} ${what}${listed < total ? `, the newest ${listed}` : ''}${total > 0 ? ':' : ''}`;
}

function openLines(job: OpenJob, now: Date): readonly string[] {
  const { jobId, source, percent, unitsDone, units, changedAt, trouble } = job;
  const progress =
    units > 0
      ? `${String(percent).padStart(3)} %  ${`${unitsDone}/${units} units`.padEnd(14)}`
      : '  not planned yet    ';
  return [
    `  ${progress}  ${ago(changedAt, now).padEnd(10)}  ${jobId}  ${oneLine(source ?? '')}`,
    ...(trouble === undefined ? [] : [`      last trouble: ${firstLine(trouble)}`]),
  ];
}

function endedLines(job: EndedJob, now: Date): readonly string[] {
  const { jobId, source, status, playlist, code, reason, endedAt } = job;
  const why = [code === 'failed' ? undefined : code, reason].filter(Boolean).join(': ');
  return [
    `  ${status.padEnd(8)}  ${ago(endedAt, now).padEnd(10)}  ${jobId}  ${oneLine(source)}`,
    `      ${playlist ?? firstLine(why)}`,
  ];
}

function firstLine(text: string): string {
  return oneLine(text.split('\n', 1)[0] ?? '');
}
