import { z } from 'zod';
import { TransientError, UnreadableError } from '../model/errors.ts';
import { classifyVersions, REMOVAL_MILLISECONDS } from '../model/garbage.ts';
import type { DeliveredAsset, Garbage, UnreferencedNote, Version } from '../model/garbage.ts';
import {
  ASSETS_PREFIX,
  UNREFERENCED_PREFIX,
  pointerKey,
  unreferencedKey,
  versionKey,
} from '../model/keys.ts';
import { createDocument, fetchDocument, parseDocument } from '../storage/documents.ts';
import { inParallel } from '../storage/in-parallel.ts';
import type { ObjectSummary } from '../storage/ports.ts';
import type { Catalog } from './catalog.ts';

// A version that no pointer references gets a note in the work bucket, and is removed if no pointer references it 14
// days later. Both the remover and a publisher of the version change the note with a conditional write. A publisher
// renews it, so that the 14 days start again. A remover claims it before it deletes anything, and then no publisher
// continues.

/** A version that was removed. `check --json` prints these fields. */
export interface RemovedVersion extends Version {
  readonly objects: number;
  readonly bytes: number;
}

/** Parallel reads and deletions. */
const CONCURRENCY = 16;
/** The number of keys in a page of an S3 listing. */
const PAGE = 1000;

/** Finds the unreferenced versions of assets that have no open work (`busy`). Changes nothing. */
export async function findGarbage(
  catalog: Catalog,
  busy: ReadonlySet<string>,
  now: Date,
): Promise<Garbage> {
  // Notes are read first: a version that is published in between then has a reference, and no note is due.
  const notes = await readNotes(catalog);
  return classifyVersions({ assets: await listDelivered(catalog), busy, notes }, now);
}

/**
 * Writes notes for newly found versions, and removes the due ones. Safe to run at any time, also in parallel. Returns
 * the removed versions. Throws TransientError when a removal takes too long; the next run continues it.
 */
export async function collectGarbage(
  catalog: Catalog,
  { found, due, settled }: Garbage,
  now: Date,
  signal?: AbortSignal,
): Promise<readonly RemovedVersion[]> {
  const { store, config } = catalog;
  await inParallel(found, CONCURRENCY, (one) =>
    writeNote(catalog, one, { since: now, isRemoving: false }),
  );
  const drop = (one: Version) => store.delete(config.WORK_BUCKET, unreferencedKey(one));
  for (const note of settled) if (await claim(catalog, note)) await drop(note);
  const freed: RemovedVersion[] = [];
  for (const note of due) {
    signal?.throwIfAborted();
    if (!(await claim(catalog, note))) continue;
    freed.push(await remove(catalog, note));
    await drop(note);
  }
  return freed;
}

/**
 * Protects a version from removal for the next 14 days. Call this before checking that all of the version is there,
 * and publishing it. Throws TransientError while the version is being removed.
 */
export async function protectVersion(catalog: Catalog, version: Version): Promise<void> {
  const { store, config } = catalog;
  for (;;) {
    const stored = await fetchDocument(store, config.WORK_BUCKET, unreferencedKey(version));
    if (!stored) return;
    if (readNote(unreferencedKey(version), stored.text).isRemoving) {
      throw new TransientError(
        'The version is being removed, because nothing referenced it for long.',
      );
    }
    const renewed = { since: new Date(), isRemoving: false };
    if (await writeNote(catalog, version, renewed, stored.etag)) return;
  }
}

const noteSchema = z.object({ since: z.iso.datetime(), isRemoving: z.boolean() });
const parseNote = (json: unknown) => noteSchema.parse(json);

/** An unreadable note must not stop a check or a job, so it reads as one without a date. */
function readNote(key: string, text: string): Pick<UnreferencedNote, 'since' | 'isRemoving'> {
  try {
    const { since, isRemoving } = parseDocument(key, text, parseNote);
    return { since: new Date(since), isRemoving };
  } catch (error) {
    if (error instanceof UnreadableError) return { since: undefined, isRemoving: false };
    throw error;
  }
}

async function readNotes({ store, config }: Catalog): Promise<readonly UnreferencedNote[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(config.WORK_BUCKET, UNREFERENCED_PREFIX)) keys.push(key);
  const notes = await inParallel(keys, CONCURRENCY, async (key) => {
    const stored = await fetchDocument(store, config.WORK_BUCKET, key);
    if (!stored) return [];
    const [, assetId = '', version = ''] = key.replace(/\.json$/, '').split('/');
    return [{ assetId, version, ...readNote(key, stored.text), etag: stored.etag }];
  });
  return notes.flat();
}

/** Resolves to false when another process has written the note. */
function writeNote(
  { store, config }: Catalog,
  version: Version,
  note: { readonly since: Date; readonly isRemoving: boolean },
  replaced?: string,
): Promise<boolean> {
  return createDocument(
    store,
    config.WORK_BUCKET,
    unreferencedKey(version),
    note,
    parseNote,
    replaced,
  );
}

/** Claims a version, so that nobody publishes it. Resolves to false when it is being published or removed elsewhere. */
function claim(catalog: Catalog, note: UnreferencedNote): Promise<boolean> {
  return writeNote(catalog, note, { since: new Date(), isRemoving: true }, note.etag);
}

async function remove(
  { store, config }: Catalog,
  { assetId, version }: Version,
): Promise<RemovedVersion> {
  const objects: ObjectSummary[] = [];
  const prefix = versionKey(assetId, version, '');
  for await (const object of store.list(config.DELIVERY_BUCKET, prefix)) objects.push(object);
  // Half of the claim's time, so that a process that was suspended cannot delete after another has taken over.
  const until = performance.now() + REMOVAL_MILLISECONDS / 2;
  await inParallel(objects, CONCURRENCY, async ({ key }) => {
    if (performance.now() > until) {
      throw new TransientError(
        `The removal of ${prefix} took too long. The rest is removed later.`,
      );
    }
    await store.delete(config.DELIVERY_BUCKET, key);
  });
  const bytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { assetId, version, objects: objects.length, bytes };
}

/**
 * Lists the assets of the delivery bucket with their versions. As ids are hexadecimal, sixteen listings run in
 * parallel. After a page of objects of one version, the listing skips to the next version.
 */
async function listDelivered(catalog: Catalog): Promise<readonly DeliveredAsset[]> {
  const { store, config } = catalog;
  const parts = await inParallel('0123456789abcdef', 16, async (digit) => {
    const assets = new Map<string, { versions: Set<string>; isPublished: boolean }>();
    let after: string | undefined = '';
    while (after !== undefined) {
      const from: string = after;
      after = undefined;
      let [folder, count] = ['', 0];
      for await (const { key } of store.list(
        config.DELIVERY_BUCKET,
        `${ASSETS_PREFIX}${digit}`,
        from,
      )) {
        const [, assetId = '', version = ''] = key.split('/');
        const asset = assets.get(assetId) ?? { versions: new Set(), isPublished: false };
        assets.set(assetId, asset);
        if (key === pointerKey(assetId)) asset.isPublished = true;
        if (!VERSION.test(version)) continue;
        asset.versions.add(version);
        const before: string = folder;
        folder = versionKey(assetId, version, '');
        count = folder === before ? count + 1 : 1;
        if (count < PAGE) continue;
        // `<folder>0` follows every key below `<folder>/`, as 0 follows the slash.
        after = folder.replace(/\/$/, '0');
        break;
      }
    }
    return [...assets];
  });
  return inParallel(parts.flat(), CONCURRENCY, async ([assetId, { versions, isPublished }]) => {
    const asset = { assetId, versions: [...versions] };
    return isPublished ? { ...asset, pointer: await readReference(catalog, asset) } : asset;
  });
}

/** As planVersion makes them. Other entries of an asset's folder are left alone. */
const VERSION = /^[0-9a-f]{16}$/;

/** Finds the version that the pointer references. A single version needs no read: it is that one. */
async function readReference(
  { store, config }: Catalog,
  { assetId, versions }: Pick<DeliveredAsset, 'assetId' | 'versions'>,
): Promise<DeliveredAsset['pointer']> {
  const [only, ...others] = versions;
  if (others.length === 0) return { version: only };
  const pointer = await store.head(config.DELIVERY_BUCKET, pointerKey(assetId));
  return pointer && { version: pointer.metadata['version'] };
}
