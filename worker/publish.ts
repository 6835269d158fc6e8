import { PreconditionFailedError } from './io/ports.ts';
import { describeAsset } from './plan/asset.ts';
import { readMarker } from './markers.ts';
import {
  ASSET_PATH,
  deliveryHeaders,
  jobKeys,
  playlistPath,
  pointerKey,
  versionKey,
} from './plan/keys.ts';
import type { Marker } from './plan/marker.ts';
import { serialiseUnit } from './plan/message.ts';
import { planVersion } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import { measure, mediaPlaylist, multivariantPlaylist } from './plan/playlist.ts';
import { report } from './report.ts';
import type { Context, Services } from './services.ts';

/** Publishes the asset when every unit has its marker: playlists, then the pointer, then the event. False while one is not done. */
export async function publishWhenDone(
  services: Services,
  plan: Plan,
  context: Context,
): Promise<boolean> {
  const markers = await readMarkers(services, plan);
  if (!markers) return false;
  const { store, config } = services;
  const { assetId, jobId } = plan;
  const version = planVersion(plan);
  const measured = measure(plan, markers);
  const document = describeAsset(plan, version, measured, markers);
  const files = [
    ...[...measured.video, ...measured.audio].map(({ name, segments }) => ({
      path: playlistPath(name),
      text: mediaPlaylist(plan, segments),
    })),
    { path: ASSET_PATH, text: JSON.stringify(document) },
  ];
  for (const { path, text } of files) {
    const key = versionKey(assetId, version, path);
    await store.put(config.DELIVERY_BUCKET, key, text, deliveryHeaders(key));
  }
  await movePointer(services, plan, multivariantPlaylist(plan, version, measured), context);
  const spentSeconds = markers.reduce((sum, marker) => sum + marker.elapsedSeconds, 0);
  await report(services, { type: 'asset.ready', jobId, spentSeconds, ...document }, context);
  return true;
}

/** Undefined while a unit is not done. */
async function readMarkers(services: Services, plan: Plan): Promise<readonly Marker[] | undefined> {
  const { store, config, jobs } = services;
  const keys = jobKeys(plan.jobId);
  const done = new Set<string>();
  for await (const { key } of store.list(config.WORK_BUCKET, keys.done)) done.add(key);
  if (!plan.units.every(({ name }) => done.has(keys.marker(name)))) return undefined;
  const markers: Marker[] = [];
  for (const { name } of plan.units) {
    const marker = await readMarker(services, plan, name);
    if (marker) markers.push(marker);
    // Its message is done; the unit is not.
    else await jobs.send(serialiseUnit(plan.jobId, name));
  }
  return markers.length === plan.units.length ? markers : undefined;
}

/**
 * The one write that publishes. Of two jobs for the same asset the one that was planned later wins,
 * whichever ends last: its time of planning stands with the pointer.
 */
async function movePointer(
  { store, config }: Services,
  plan: Plan,
  playlist: string,
  { log }: Context,
): Promise<void> {
  const key = pointerKey(plan.assetId);
  const planObject = await store.head(config.WORK_BUCKET, jobKeys(plan.jobId).plan);
  const planned = planObject?.lastModified.toISOString() ?? '';
  const headers = { ...deliveryHeaders(key), metadata: { planned, version: planVersion(plan) } };
  for (;;) {
    const current = await store.head(config.DELIVERY_BUCKET, key);
    if (current && (current.metadata['planned'] ?? '') > planned) {
      log.info({ event: 'pointer.kept', reason: 'a job that was planned later has published' });
      return;
    }
    const condition = current ? { ifMatch: current.etag } : ({ ifNoneMatch: '*' } as const);
    try {
      await store.put(config.DELIVERY_BUCKET, key, playlist, headers, condition);
      return;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      log.debug({ event: 'pointer.raced' });
    }
  }
}
