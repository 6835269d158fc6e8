import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import type { Catalog } from './catalog.ts';
import { readDocument, writeDocument } from '../storage/documents.ts';
import { PreconditionFailedError } from '../storage/ports.ts';
import { deliveryHeaders, pointerKey, titleKey } from '../model/keys.ts';
import { withTitle } from '../model/session-data.ts';
import { cleanTitle, storedTitle, titleMetadata } from '../model/title.ts';

/** The one object of an asset that is ever replaced: what viewers see of it is what this names. */
export interface Pointer {
  /** The multivariant playlist. */
  readonly playlist: string;
  readonly version: string;
  /** When the job was planned that made the version; ISO 8601. */
  readonly planned: string;
  readonly title?: string | undefined;
}

export async function readPointer(catalog: Catalog, assetId: string): Promise<Pointer | undefined> {
  return (await find(catalog, assetId))?.pointer;
}

/**
 * Replaces the pointer by the one that `next` makes of it; undefined leaves it alone. `next` is asked again when
 * another worker has replaced the pointer meanwhile. Returns the pointer that is there then.
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
      await catalog.store.put(
        ...([catalog.config.DELIVERY_BUCKET, key, playlist] as const),
        { ...deliveryHeaders(key), metadata },
        condition,
      );
      return pointer;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
  }
}

/**
 * Gives an asset a title: at once where it is published, and when it is published from now on. Of two that are
 * given at the same time one stands, everywhere. A title without anything to read is none.
 */
export async function setTitle(catalog: Catalog, assetId: string, wanted: string): Promise<void> {
  const title = cleanTitle(wanted);
  if (title === '') return;
  const { store, config } = catalog;
  await writeDocument(store, config.WORK_BUCKET, titleKey(assetId), { title }, parseTitle);
  await replacePointer(catalog, assetId, async (current) => {
    if (!current) return undefined;
    // Read after the pointer: one that is written after this is followed by another write of the pointer.
    const given = (await givenTitle(catalog, assetId)) ?? title;
    if (given === current.title) return undefined;
    return { ...current, title: given, playlist: withTitle(current.playlist, given) };
  });
}

/** The title that an asset was given; undefined when it has the one of its plan or its pointer. */
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
