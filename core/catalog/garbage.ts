import { z } from 'zod';
import { TransientError, UnreadableError } from '../model/errors.ts';
import { createDocument, fetchDocument, parseDocument } from '../storage/documents.ts';
import { inParallel } from '../storage/in-parallel.ts';
import type { ObjectSummary } from '../storage/ports.ts';
import { classifyVersions, REMOVAL_MILLISECONDS } from '../model/garbage.ts';
import type { DeliveredAsset, Garbage, UnreferencedNote, Version } from '../model/garbage.ts';
import {
  ASSETS_PREFIX,
  UNREFERENCED_PREFIX,
  pointerKey,
  unreferencedKey,
  versionKey,
} from '../model/keys.ts';
import type { Catalog } from './catalog.ts';

// Versions that no pointer names are noted in the work bucket, and removed if no pointer names them 14 days later.
// Remover and publisher both write the note, on the condition that nobody else has written it meanwhile. A publisher
// renews it, so that the 14 days begin anew. A remover claims it before it deletes anything, and no publisher goes on
// then.

/** A version that was removed. */
export interface RemovedVersion extends Version {
  readonly objects: number;
  readonly bytes: number;
}

/** Objects that are read or deleted at once. */
const AT_ONCE = 16;
/** S3 lists so many keys at a time. */
const PAGE = 1000;

/** Finds versions that no pointer names, but of those assets that are worked on. Changes nothing. */
export async function findGarbage(
  catalog: Catalog,
  busy: ReadonlySet<string>,
  now: Date,
): Promise<Garbage> {
  // First: a version that is named meanwhile is not taken for one without a name.
  const notes = await readNotes(catalog);
  return classifyVersions({ assets: await listDelivered(catalog), busy, notes }, now);
}

/**
 * Notes what was found, and removes what is due. Several may do this at once, at any time. Returns what was removed.
 * Throws TransientError when a removal took too long to go on: the next one does.
 */
export async function collectGarbage(
  catalog: Catalog,
  { found, due, settled }: Garbage,
  now: Date,
  signal?: AbortSignal,
): Promise<readonly RemovedVersion[]> {
  const { store, config } = catalog;
  await inParallel(found, AT_ONCE, (one) =>
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
 * Keeps a version from being removed, for whoever is about to look whether all of it is there, and to publish it.
 * Throws TransientError while it is being removed.
 */
export async function holdVersion(catalog: Catalog, version: Version): Promise<void> {
  const { store, config } = catalog;
  for (;;) {
    const stored = await fetchDocument(store, config.WORK_BUCKET, unreferencedKey(version));
    if (!stored) return;
    if (readNote(unreferencedKey(version), stored.text).isRemoving) {
      throw new TransientError('The version is being removed, as nothing named it for long.');
    }
    const renewed = { since: new Date(), isRemoving: false };
    if (await writeNote(catalog, version, renewed, stored.etag)) return;
  }
}

const noteSchema = z.object({ since: z.iso.datetime(), isRemoving: z.boolean() });
const parseNote = (json: unknown) => noteSchema.parse(json);

/** One that cannot be read, as something else wrote it, stops neither a check nor a job. */
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
  const notes = await inParallel(keys, AT_ONCE, async (key) => {
    const stored = await fetchDocument(store, config.WORK_BUCKET, key);
    if (!stored) return [];
    const [, assetId = '', version = ''] = key.replace(/\.json$/, '').split('/');
    return [{ assetId, version, ...readNote(key, stored.text), etag: stored.etag }];
  });
  return notes.flat();
}

/** False when somebody else has written it meanwhile. */
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

/** From then on nobody publishes it. False when somebody was about to, or removes it. */
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
  // The claim holds for longer: a process that was stopped in between deletes nothing of another's.
  const until = performance.now() + REMOVAL_MILLISECONDS / 2;
  await inParallel(objects, AT_ONCE, async ({ key }) => {
    if (performance.now() > until) {
      throw new TransientError(`${prefix} is removed in part: it took too long.`);
    }
    await store.delete(config.DELIVERY_BUCKET, key);
  });
  const bytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { assetId, version, objects: objects.length, bytes };
}

/**
 * Every asset of the delivery bucket with its versions. As ids are hexadecimal, sixteen listings share the work; of a
 * version with more objects than S3 lists at a time, the rest is left out.
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
        // It follows every key in the folder, as 0 follows the slash.
        after = folder.replace(/\/$/, '0');
        break;
      }
    }
    return [...assets];
  });
  return inParallel(parts.flat(), AT_ONCE, async ([assetId, { versions, isPublished }]) => {
    const asset = { assetId, versions: [...versions] };
    return isPublished ? { ...asset, pointer: await readNamed(catalog, asset) } : asset;
  });
}

/** See planVersion; what else lies there is not ours. */
const VERSION = /^[0-9a-f]{16}$/;

/** Of a single version it need not be read whether the pointer names it. */
async function readNamed(
  { store, config }: Catalog,
  { assetId, versions }: Pick<DeliveredAsset, 'assetId' | 'versions'>,
): Promise<DeliveredAsset['pointer']> {
  const [only, ...others] = versions;
  if (others.length === 0) return { version: only };
  const pointer = await store.head(config.DELIVERY_BUCKET, pointerKey(assetId));
  return pointer && { version: pointer.metadata['version'] };
}
