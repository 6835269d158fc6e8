import { createHash } from 'node:crypto';
import { z } from 'zod';
import { protectVersion } from '../core/catalog/garbage.ts';
import { FaultyOutputError } from '../core/model/errors.ts';
import { jobKeys, versionKey } from '../core/model/keys.ts';
import { serialiseUnit } from '../core/model/message.ts';
import type { Marker, StoredFile } from '../core/model/units.ts';
import { readDocument, writeDocument } from '../core/storage/documents.ts';
import { readMarker } from './markers.ts';
import { describeDefects } from './plan/gate/defect.ts';
import type { Defect } from './plan/gate/defect.ts';
import { checkStored } from './plan/gate/publication.ts';
import { planVersion } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import { checkMarker, filesOf } from './plan/units.ts';
import type { OutputFile } from './plan/units.ts';
import type { Context, Services } from './services.ts';

interface MarkedUnit {
  readonly unit: string;
  /** The ETag of its marker. */
  readonly etag: string;
  readonly marker: Marker;
}

/**
 * The markers of all units, if each unit is done and the delivery bucket contains its files as planned; otherwise
 * undefined. A faulty unit is queued once more. Throws FaultyOutputError if it was queued again before.
 */
export async function requireUnits(
  services: Services,
  plan: Plan,
  context: Context,
): Promise<readonly Marker[] | undefined> {
  const done = await readDoneUnits(services, plan);
  if (!done) return undefined;
  await protectVersion(services, { assetId: plan.assetId, version: planVersion(plan) });
  const made = done.flatMap(({ marker }) => filesOf(plan, marker));
  const stored = await readStored(services, plan, made);
  let hasDefects = false;
  for (const unit of done) {
    const { unit: name, marker } = unit;
    const defects = [
      ...checkMarker(plan, name, marker),
      ...checkStored(filesOf(plan, marker), stored),
    ];
    if (defects.length === 0) continue;
    hasDefects = true;
    await queueAgain(services, plan, unit, defects, context);
  }
  return hasDefects ? undefined : done.map(({ marker }) => marker);
}

/** The stored files of the plan's version, by their paths in it. */
async function readStored(
  { store, config }: Services,
  plan: Plan,
  made: readonly OutputFile[],
): Promise<ReadonlyMap<string, StoredFile>> {
  const { DELIVERY_BUCKET } = config;
  const prefix = versionKey(plan.assetId, planVersion(plan), '');
  const stored = new Map<string, StoredFile>();
  for await (const { key, sizeBytes, etag } of store.list(DELIVERY_BUCKET, prefix)) {
    stored.set(key.slice(prefix.length), { bytes: sizeBytes, md5: etag });
  }
  for (const { path, bytes, md5 } of made) {
    const found = stored.get(path);
    if (found?.bytes !== bytes || found.md5 === md5) continue;
    // If the bucket is encrypted with a customer's key, S3's ETag is not the MD5 of an object.
    const object = await store.get(DELIVERY_BUCKET, `${prefix}${path}`);
    const hash = createHash('md5');
    if (object) for await (const part of object.body) hash.update(part as Uint8Array);
    stored.set(path, { bytes, md5: hash.digest('hex') });
  }
  return stored;
}

/** All units with their markers; undefined while a unit is not done. */
async function readDoneUnits(
  services: Services,
  plan: Plan,
): Promise<readonly MarkedUnit[] | undefined> {
  const { store, config, jobs } = services;
  const keys = jobKeys(plan.jobId);
  const etags = new Map<string, string>();
  for await (const { key, etag } of store.list(config.WORK_BUCKET, keys.done)) etags.set(key, etag);
  if (!plan.units.every(({ name }) => etags.has(keys.marker(name)))) return undefined;
  const done: MarkedUnit[] = [];
  for (const { name } of plan.units) {
    const marker = await readMarker(services, plan, name);
    if (marker) done.push({ unit: name, etag: etags.get(keys.marker(name)) ?? '', marker });
    // The marker does not count, and its message was deleted: the unit needs a new one.
    else await jobs.send(serialiseUnit(plan.jobId, name));
  }
  return done.length === plan.units.length ? done : undefined;
}

const redoneSchema = z.object({ marker: z.string(), defects: z.string() });

/**
 * Queues a faulty unit once more. The ETag of its faulty marker is stored first. With the same marker, an earlier
 * worker died before it queued the unit, and the steps are repeated. With another marker, the second attempt is faulty
 * too.
 */
async function queueAgain(
  { store, config, jobs }: Services,
  plan: Plan,
  { unit, etag }: MarkedUnit,
  found: readonly Defect[],
  { log }: Context,
): Promise<void> {
  const keys = jobKeys(plan.jobId);
  const bucket = config.WORK_BUCKET;
  const defects = describeDefects(found);
  const parse = (json: unknown) => redoneSchema.parse(json);
  const before = await readDocument(store, bucket, keys.redone(unit), parse);
  log.warn({ event: 'unit.faulty', unit, again: before !== undefined, defects });
  if (before && before.marker !== etag) {
    // If the job is requested again, the unit has two new attempts.
    await store.delete(bucket, keys.marker(unit));
    await store.delete(bucket, keys.redone(unit));
    throw new FaultyOutputError(`The output of ${unit} differs from the plan, twice. ${defects}`);
  }
  await writeDocument(store, bucket, keys.redone(unit), { marker: etag, defects }, parse);
  await jobs.send(serialiseUnit(plan.jobId, unit));
  await store.delete(bucket, keys.marker(unit));
}
