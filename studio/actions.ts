import type { Home } from '../worker/io/ports.ts';
import { inParallel } from '../worker/io/in-parallel.ts';
import { jobIdOf } from '../worker/plan/ids.ts';
import { assetKeys, jobKeys, pointerKey } from '../worker/plan/keys.ts';
import { serialiseJob } from '../worker/plan/message.ts';
import { reopenJob } from '../worker/reopen.ts';
import type { Entry, Names } from './library.ts';
import { RequestError } from './requests.ts';

/** Objects that are deleted at once. */
const AT_ONCE = 16;

/** Has a file worked on, again or at last, that did not become an asset. Throws RequestError when that cannot be. */
export async function retry({ store, queue }: Home, names: Names, entry: Entry): Promise<void> {
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
  // A unit whose message was lost, as a queue was purged, is sent again with the others; the done stay done.
  if (state === 'open') await store.delete(names.WORK_BUCKET, jobKeys(jobId).dispatched);
  if (state !== 'stands') await queue(names.JOB_QUEUE).send(serialiseJob({ source, options: {} }));
}

/**
 * Deletes an asset and everything it owns: what is published first, so that nobody sees half of it, then what
 * caches hold, by `forget`, and its source last, so that what is cut off can be deleted again. Throws
 * RequestError while it is worked on.
 */
export async function remove(
  { store }: Home,
  names: Names,
  entry: Entry,
  forget?: (assetId: string) => Promise<void>,
): Promise<void> {
  const { item, source, jobIds } = entry;
  if (item.state === 'working') {
    throw new RequestError(409, 'This video is being worked on. Delete it when that has ended.');
  }
  await store.delete(names.DELIVERY_BUCKET, pointerKey(item.id));
  const owned = [
    { bucket: names.DELIVERY_BUCKET, prefix: assetKeys(item.id) },
    ...jobIds.map((jobId) => ({ bucket: names.WORK_BUCKET, prefix: jobKeys(jobId).all })),
  ];
  for (const { bucket, prefix } of owned) {
    const keys: string[] = [];
    for await (const { key } of store.list(bucket, prefix)) keys.push(key);
    await inParallel(keys, AT_ONCE, (key) => store.delete(bucket, key));
  }
  await forget?.(item.id);
  if (!source) return;
  const { bucket, key, etag } = source;
  // Another file by the same name may have taken its place a moment ago.
  if ((await store.head(bucket, key))?.etag === etag) await store.delete(bucket, key);
}
