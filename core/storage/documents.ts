import { buffer } from 'node:stream/consumers';
import { UnreadableError } from '../model/errors.ts';
import { PreconditionFailedError } from './ports.ts';
import type { Condition, ObjectStore } from './ports.ts';

/** A document before it is parsed. */
export interface StoredDocument {
  readonly text: string;
  readonly etag: string;
}

type Parse<Value> = (json: unknown) => Value;

/** Reads a JSON document. Resolves to undefined when there is none. Throws UnreadableError when `parse` throws. */
export async function readDocument<Value>(
  store: ObjectStore,
  bucket: string,
  key: string,
  parse: Parse<Value>,
): Promise<Value | undefined> {
  const found = await fetchDocument(store, bucket, key);
  return found && parseDocument(`${bucket}/${key}`, found.text, parse);
}

/** Reads a document without parsing it, as another version may have written it. */
export async function fetchDocument(
  store: ObjectStore,
  bucket: string,
  key: string,
): Promise<StoredDocument | undefined> {
  const found = await store.get(bucket, key);
  if (!found) return undefined;
  return { text: (await buffer(found.body)).toString('utf8'), etag: found.info.etag };
}

/** Throws UnreadableError when the text is not JSON or `parse` throws. */
export function parseDocument<Value>(name: string, text: string, parse: Parse<Value>): Value {
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    throw new UnreadableError(`${name} cannot be read: ${String(error)}`, { cause: error });
  }
}

/** Writes a JSON document. Throws UnreadableError, and writes nothing, when `parse` could not read it back. */
export async function writeDocument(
  store: ObjectStore,
  bucket: string,
  key: string,
  value: unknown,
  parse: Parse<unknown>,
  condition: Condition = {},
): Promise<void> {
  const text = JSON.stringify(value);
  parseDocument(`${bucket}/${key}, as it was to be written,`, text, parse);
  await store.put(bucket, key, text, { contentType: 'application/json' }, condition);
}

/**
 * Writes a document if there is none yet or, when `replaced` is given, if its ETag is still that one. Resolves to
 * false when another process has written the document. Throws UnreadableError as `writeDocument` does.
 */
export async function createDocument(
  store: ObjectStore,
  bucket: string,
  key: string,
  value: unknown,
  parse: Parse<unknown>,
  replaced?: string,
): Promise<boolean> {
  const condition =
    replaced === undefined ? ({ ifNoneMatch: '*' } as const) : { ifMatch: replaced };
  try {
    await writeDocument(store, bucket, key, value, parse, condition);
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}
