import { buffer } from 'node:stream/consumers';
import { PreconditionFailedError } from './ports.ts';
import type { ObjectStore } from './ports.ts';

/** A document is there, and is not what it should be: of another version, for instance. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

/** A small JSON object of the store, read whole. Undefined when it is not there; throws UnreadableError when `parse` throws. */
export async function readDocument<Value>(
  store: ObjectStore,
  bucket: string,
  key: string,
  parse: (json: unknown) => Value,
): Promise<Value | undefined> {
  const found = await store.get(bucket, key);
  if (!found) return undefined;
  const text = (await buffer(found.body)).toString('utf8');
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    throw new UnreadableError(`${bucket}/${key} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
}

export async function writeDocument(
  store: ObjectStore,
  bucket: string,
  key: string,
  value: unknown,
): Promise<void> {
  await store.put(bucket, key, JSON.stringify(value), { contentType: 'application/json' });
}

/** Writes the document only if there is none yet; false when there is. */
export async function createDocument(
  store: ObjectStore,
  bucket: string,
  key: string,
  value: unknown,
): Promise<boolean> {
  try {
    await store.put(
      bucket,
      key,
      JSON.stringify(value),
      { contentType: 'application/json' },
      { ifNoneMatch: '*' },
    );
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}
