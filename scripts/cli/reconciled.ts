import type { Findings, Repairs } from '../../core/catalog/reconcile.ts';
import { GRACE_DAYS } from '../../core/model/garbage.ts';
import type { OpenWork } from '../../core/model/lost-work.ts';
import { oneLine } from '../../core/model/printable.ts';
import { ago, count } from './text.ts';

/**
 * The findings of a reconciliation and, unless it was asked only to report, the repairs. `--json` prints this object.
 */
export interface Reconciled extends Findings, Partial<Repairs> {
  /** A stage's name, or the data folder of one machine. */
  readonly place: string;
}

/** The same for a person. Names come last in a line, because their width on a terminal is unknown. */
export function reconciledText(found: Reconciled, now: Date): string {
  const { place, held, open, lost, sent } = found;
  const unknown = sent ? lost.filter((work) => !sent.includes(work)) : [];
  const lines = [
    `${place}: ${count(open, 'piece')} of work to be done, ${count(held, 'message')} in the queue.`,
    lost.length === 0
      ? 'Nothing is lost.'
      : `${count(lost.length, 'piece')} lost, ${sent ? `${sent.length.toLocaleString('en')} sent again` : 'nothing sent'}:`,
    ...(sent ?? lost).map((work) => line(work, now)),
  ];
  if (unknown.length > 0) {
    lines.push(
      'Not sent: nothing tells what these jobs were asked for. Upload their files again.',
      ...unknown.map((work) => line(work, now)),
    );
  }
  lines.push(...garbageLines(found));
  return `${lines.join('\n')}\n`;
}

function garbageLines({ garbage, freed = [] }: Reconciled): readonly string[] {
  const { found, waiting, due } = garbage;
  const unnamed = found.length + waiting.length + due.length;
  if (unnamed === 0) return ['No unused version of a video is stored.'];
  const bytes = freed.reduce((sum, one) => sum + one.bytes, 0);
  const objects = freed.reduce((sum, one) => sum + one.objects, 0);
  const removed = `${count(freed.length, 'version')} removed: ${count(objects, 'file')}, ${(bytes / 1e6).toFixed(1)} MB.`;
  return [
    `${count(unnamed, 'version')} ${unnamed === 1 ? 'is' : 'are'} unused, left by replaced videos or by jobs that made none: ${found.length} found now, ${waiting.length} kept until ${GRACE_DAYS} days after they were found, ${due.length} due for removal.`,
    ...(freed.length > 0 ? [removed] : []),
    ...freed.map(
      ({ assetId, version, ...one }) => `  v/${assetId}/${version}/  ${count(one.objects, 'file')}`,
    ),
  ];
}

function line(work: OpenWork, now: Date): string {
  const { jobId, heardAt } = work;
  const what = work.kind === 'unit' ? work.unit : work.kind;
  const key = work.kind === 'upload' ? work.source.key : work.source;
  return `  ${what.padEnd(11)}  ${ago(heardAt, now).padEnd(10)}  ${jobId}  ${oneLine(key ?? '')}`.trimEnd();
}

/** `Sent again: 2 uploads without a job, 3 units, 1 job.` */
export function sentText(work: readonly OpenWork[]): string {
  const of = (kind: OpenWork['kind']) => work.filter((one) => one.kind === kind).length;
  return `Sent again: ${count(of('upload'), 'upload')} without a job, ${count(of('unit'), 'unit')}, ${count(of('job'), 'job')} without an end.`;
}
