import { findOpenWork, sendAgain } from '../../core/catalog/reconcile.ts';
import type { WorkerEnv } from '../../core/environment.ts';
import type { OpenWork } from '../../core/model/lost-work.ts';
import { openJobQueue } from '../../core/storage/job-queue.ts';
import { rebuildIndex } from '../../core/storage/local/rebuild.ts';
import type { Rebuilt } from '../../core/storage/local/rebuild.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { say } from '../cli/terminal.ts';
import { count } from '../cli/text.ts';

/** The interval between progress messages. */
const PROGRESS_MILLISECONDS = 2000;

/** Rebuilds the index of a data folder and reports what was found. Throws Error if the index is healthy. */
export async function rebuild(directory: string): Promise<void> {
  say(`Rebuilding the index of ${directory} from what is kept beside each file …`);
  let reportedAt = Date.now();
  const found = await rebuildIndex(directory, (files) => {
    if (Date.now() - reportedAt < PROGRESS_MILLISECONDS) return;
    reportedAt = Date.now();
    say(`${count(files, 'file')} read …`);
  });
  say(rebuiltText(found, directory));
}

function rebuiltText(found: Rebuilt, directory: string): string {
  const { objects, bytes, unclaimed, backup, messages, kept } = found;
  const buckets = [...objects].map(([bucket, number]) => `${number} in ${bucket}`).join(', ');
  const total = [...objects.values()].reduce((sum, number) => sum + number, 0);
  const lines = [
    `Found ${count(total, 'object')} of ${(bytes / 1e6).toFixed(1)} MB${buckets ? `: ${buckets}` : ''}.`,
    backup
      ? `The queues (${count(messages, 'message')}) and uploads under way are those of the backup ${backup.path}. What came later is lost: dead letters, events nobody has read, and parts of uploads; such an upload begins again.`
      : 'There is no backup: what was in the queues is lost, among it dead letters and events nobody has read; uploads under way begin again.',
  ];
  if (unclaimed > 0) {
    lines.push(
      `${count(unclaimed, 'file')} without a label lie in ${directory}/unclaimed now: they were deleted or replaced within the last hour, or were parts of uploads. Delete that folder when nothing is missing.`,
    );
  }
  if (kept) lines.push(`The index that was there is kept in ${kept}.`);
  return lines.join('\n');
}

/**
 * Sends the messages of a lost queue again, whatever the queue holds from a backup: units of unfinished jobs, and uploads
 * that never became a job. It is safe at any time, as finished work is not repeated.
 */
export async function announceUnfinished(
  backend: Pick<Backend, 'store' | 'queue'>,
  names: WorkerEnv,
): Promise<readonly OpenWork[]> {
  const place = { store: backend.store, jobs: openJobQueue(backend, names), config: names };
  return sendAgain(place, await findOpenWork(place));
}
