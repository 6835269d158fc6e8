import type { Catalog, WorkCatalog } from '../../core/catalog/catalog.ts';
import { deletePrefix, markDeleted } from '../../core/catalog/deletion.ts';
import { setTitle } from '../../core/catalog/pointer.ts';
import { reopenJob, requestJob } from '../../core/catalog/results.ts';
import { jobIdOf } from '../../core/model/ids.ts';
import { assetPrefix, jobKeys, pointerKey, titleKey } from '../../core/model/keys.ts';
import { cleanTitle } from '../../core/model/title.ts';
import type { Entry } from './library.ts';
import { RequestError } from './requests.ts';

/** Queues the job of a file that has not become a video. Throws RequestError if the video is ready or the file is gone. */
export async function retry(catalog: WorkCatalog, { item, source }: Entry): Promise<void> {
  if (item.state === 'ready') throw new RequestError(409, 'This video is ready.');
  if (!source) {
    throw new RequestError(409, 'The uploaded file is no longer there. Upload it again.');
  }
  const jobId = jobIdOf(item.id, {});
  const state = await reopenJob(catalog, jobId, ({ type }) => type === 'asset.ready');
  if (state === 'stands') return;
  await requestJob(catalog, jobId, { source, options: {} });
}

/** Changes the title of a published video. Throws RequestError if it is not published, or the title is empty. */
export async function rename(catalog: Catalog, { item }: Entry, title: string): Promise<void> {
  if (item.state !== 'ready') throw new RequestError(409, 'This video is not ready.');
  if (cleanTitle(title) === '') throw new RequestError(400, 'The title is empty.');
  await setTitle(catalog, item.id, title);
}

/**
 * Deletes an asset with everything that belongs to it, and calls `purgeCaches`. After an interruption at any point,
 * the asset is still in the library and can be deleted again. For this, jobs go first: the library hides the source
 * of a job whose result says that it is ready. A worker that is busy with the asset removes what it has written
 * (core/catalog/deletion.ts).
 */
export async function remove(
  catalog: Catalog,
  { item, source, jobIds }: Pick<Entry, 'source' | 'jobIds'> & { item: Pick<Entry['item'], 'id'> },
  purgeCaches: () => Promise<void>,
): Promise<void> {
  const { store } = catalog;
  const { SOURCE_BUCKET, WORK_BUCKET, DELIVERY_BUCKET } = catalog.config;
  // The message of the default job may still be in the queue.
  await markDeleted(catalog, item.id, [...new Set([...jobIds, jobIdOf(item.id, {})])]);
  for (const jobId of jobIds) await deletePrefix(store, WORK_BUCKET, jobKeys(jobId).prefix);
  await store.delete(WORK_BUCKET, titleKey(item.id));
  // Before the segments: viewers must not find a video that lacks some of them.
  await store.delete(DELIVERY_BUCKET, pointerKey(item.id));
  await deletePrefix(store, DELIVERY_BUCKET, assetPrefix(item.id));
  await purgeCaches();
  if (!source) return;
  // Another file may have been uploaded under the same key a moment ago.
  const { key, etag } = source;
  if ((await store.head(SOURCE_BUCKET, key))?.etag === etag) await store.delete(SOURCE_BUCKET, key);
}
