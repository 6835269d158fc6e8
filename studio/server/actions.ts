import { deletePrefix, markDeleted } from '../../core/catalog/deletion.ts';
import type { Backend } from '../../core/storage/ports.ts';
import { jobIdOf } from '../../core/model/ids.ts';
import { assetPrefix, jobKeys, pointerKey, titleKey } from '../../core/model/keys.ts';
import { cleanTitle } from '../../core/model/title.ts';
import { setTitle } from '../../core/catalog/pointer.ts';
import { requestJob, reopenJob } from '../../core/catalog/results.ts';
import type { Entry, Names } from './library.ts';
import { RequestError } from './requests.ts';

/** Has a file worked on, again or at last, that did not become an asset. Throws RequestError when that cannot be. */
export async function retry({ store, queue }: Backend, names: Names, entry: Entry): Promise<void> {
  const { item, source } = entry;
  if (item.state === 'ready') throw new RequestError(409, 'This video is ready.');
  if (!source) {
    throw new RequestError(409, 'The uploaded file is not there any more. Upload it again.');
  }
  const jobId = jobIdOf(item.id, {});
  const state = await reopenJob(
    store,
    names.WORK_BUCKET,
    jobId,
    ({ type }) => type === 'asset.ready',
  );
  if (state === 'stands') return;
  const jobs = queue(names.JOB_QUEUE);
  await requestJob({ store, jobs, config: names }, jobId, { source, options: {} });
}

/** Gives a published video another title. Throws RequestError when that cannot be. */
export async function rename(
  { store }: Backend,
  names: Names,
  { item }: Entry,
  title: string,
): Promise<void> {
  if (item.state !== 'ready') throw new RequestError(409, 'This video is not ready.');
  if (cleanTitle(title) === '') throw new RequestError(400, 'A title needs something to read.');
  await setTitle({ store, config: names }, item.id, title);
}

/**
 * Deletes an asset and everything it owns, and has it forgotten where it is cached. In this order what is cut
 * off is still in the library, and can be deleted again: a job that says that it is ready hides its source,
 * and goes first. Whoever works on it meanwhile removes what it has written (core/catalog/deletion.ts).
 */
export async function remove(
  { store }: Backend,
  names: Names,
  { item, source, jobIds }: Pick<Entry, 'source' | 'jobIds'> & { item: Pick<Entry['item'], 'id'> },
  forget: () => Promise<void>,
): Promise<void> {
  const { SOURCE_BUCKET, WORK_BUCKET, DELIVERY_BUCKET } = names;
  // Of the usual job, too, whose message may still wait in the queue.
  await markDeleted(store, WORK_BUCKET, item.id, [...new Set([...jobIds, jobIdOf(item.id, {})])]);
  for (const jobId of jobIds) await deletePrefix(store, WORK_BUCKET, jobKeys(jobId).all);
  await store.delete(WORK_BUCKET, titleKey(item.id));
  // Before the segments, so that nobody sees half of it.
  await store.delete(DELIVERY_BUCKET, pointerKey(item.id));
  await deletePrefix(store, DELIVERY_BUCKET, assetPrefix(item.id));
  await forget();
  if (!source) return;
  // Another file by the same name may have taken its place a moment ago.
  const { key, etag } = source;
  if ((await store.head(SOURCE_BUCKET, key))?.etag === etag) await store.delete(SOURCE_BUCKET, key);
}
