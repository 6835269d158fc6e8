import type { ObjectStore } from '../core/storage/ports.ts';

/** Writes a document without checking that it can be read again. */
export async function putJson(
  store: ObjectStore,
  bucket: string,
  key: string,
  value: unknown,
): Promise<void> {
  await store.put(bucket, key, JSON.stringify(value), { contentType: 'application/json' });
}
