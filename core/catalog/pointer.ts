import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { deliveryHeaders, pointerKey, titleKey } from '../model/keys.ts';
import { withTitle } from '../model/session-data.ts';
import { cleanTitle, storedTitle, titleMetadata } from '../model/title.ts';
import { readDocument, writeDocument } from '../storage/documents.ts';
import { PreconditionFailedError } from '../storage/ports.ts';
import type { Catalog } from './catalog.ts';

/**
 * The pointer of an asset: its multivariant playlist, which references the files of one version. It is the only
 * object of an asset that is ever replaced, so one conditional write publishes a version.
 */
export interface Pointer {
  readonly playlist: string;
  readonly version: string;
  /** When the version's job was planned; ISO 8601. */
  readonly planned: string;
  readonly title?: string | undefined;
}

export async function readPointer(catalog: Catalog, assetId: string): Promise<Pointer | undefined> {
  return (await find(catalog, assetId))?.pointer;
}

/**
 * Replaces the pointer by the result of `next`, unless that is undefined. Calls `next` again when another process has
 * replaced the pointer meanwhile. Returns the pointer that is stored at the end.
 */
export async function replacePointer(
  catalog: Catalog,
  assetId: string,
  next: (current: Pointer | undefined) => Promise<Pointer | undefined>,
): Promise<Pointer | undefined> {
  const key = pointerKey(assetId);
  for (;;) {
    const found = await find(catalog, assetId);
    const pointer = await next(found?.pointer);
    if (!pointer) return found?.pointer;
    const { playlist, version, planned, title } = pointer;
    const metadata = { version, planned, ...(title === undefined ? {} : titleMetadata(title)) };
    const condition = found ? { ifMatch: found.etag } : ({ ifNoneMatch: '*' } as const);
    try {
      const headers = { ...deliveryHeaders(key), metadata };
      await catalog.store.put(catalog.config.DELIVERY_BUCKET, key, playlist, headers, condition);
      return pointer;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
  }
}

/**
 * Sets the title of an asset, of the published version and of later ones. If two titles are set at the same time, one
 * of them applies everywhere. A title without visible characters is ignored.
 */
export async function setTitle(catalog: Catalog, assetId: string, wanted: string): Promise<void> {
  const title = cleanTitle(wanted);
  if (title === '') return;
  const { store, config } = catalog;
  await writeDocument(store, config.WORK_BUCKET, titleKey(assetId), { title }, parseTitle);
  await replacePointer(catalog, assetId, async (current) => {
    if (!current) return undefined;
    // This read follows that of the pointer: a title that is set later comes with a later write of the pointer.
    const given = (await givenTitle(catalog, assetId)) ?? title;
    if (given === current.title) return undefined;
    return { ...current, title: given, playlist: withTitle(current.playlist, given) };
  });
}

/** Reads the title that somebody set. Resolves to undefined when the asset has the title of its plan or pointer. */
export async function givenTitle(
  { store, config }: Catalog,
  assetId: string,
): Promise<string | undefined> {
  const found = await readDocument(store, config.WORK_BUCKET, titleKey(assetId), parseTitle);
  return found?.title;
}

const titleSchema = z.object({ title: z.string().min(1) });
const parseTitle = (json: unknown) => titleSchema.parse(json);

async function find({ store, config }: Catalog, assetId: string) {
  const found = await store.get(config.DELIVERY_BUCKET, pointerKey(assetId));
  if (!found) return undefined;
  const { etag, metadata } = found.info;
  const playlist = (await buffer(found.body)).toString('utf8');
  const { version = '', planned = '' } = metadata;
  const pointer: Pointer = { playlist, version, planned, title: storedTitle(metadata) };
  return { etag, pointer };
}
