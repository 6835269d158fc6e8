import { isDeleted } from './deleted.ts';
import { FaultyOutputError } from './errors.ts';
import { requireMade } from './gate.ts';
import { PreconditionFailedError } from './io/ports.ts';
import { describeAsset } from './plan/asset.ts';
import { describeDefects } from './plan/gate/defect.ts';
import {
  checkDocument,
  checkMediaPlaylist,
  checkMultivariantPlaylist,
} from './plan/gate/publication.ts';
import {
  ASSET_PATH,
  deliveryHeaders,
  jobKeys,
  playlistPath,
  pointerKey,
  versionKey,
} from './plan/keys.ts';
import { planVersion } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import { measure, mediaPlaylist, multivariantPlaylist } from './plan/playlist.ts';
import { report } from './report.ts';
import type { Context, Services } from './services.ts';

/**
 * Publishes the asset when every unit has its marker, and all is there as planned: playlists, then the
 * pointer, then the event. False while something is still to be made, or when the asset was deleted. Throws FaultyOutputError for what
 * is not to be published.
 */
export async function publishWhenDone(
  services: Services,
  plan: Plan,
  context: Context,
): Promise<boolean> {
  const markers = await requireMade(services, plan, context);
  if (!markers) return false;
  const { store, config } = services;
  const { assetId, jobId } = plan;
  const version = planVersion(plan);
  const measured = measure(plan, markers);
  const asset = describeAsset(plan, version, measured, markers);
  const document = JSON.stringify(asset);
  const playlists = [...measured.video, ...measured.audio].map(({ name, segments }) => ({
    name,
    text: mediaPlaylist(plan, segments),
  }));
  const pointer = multivariantPlaylist(plan, version, measured);
  const defects = [
    ...playlists.flatMap(({ name, text }) => checkMediaPlaylist(plan, name, text)),
    ...checkMultivariantPlaylist(plan, version, markers, pointer),
    ...checkDocument(plan, version, markers, document),
  ];
  if (defects.length > 0) throw new FaultyOutputError(describeDefects(defects));
  const files = [
    ...playlists.map(({ name, text }) => ({ path: playlistPath(name), text })),
    { path: ASSET_PATH, text: document },
  ];
  for (const { path, text } of files) {
    const key = versionKey(assetId, version, path);
    await store.put(config.DELIVERY_BUCKET, key, text, deliveryHeaders(key));
  }
  // Whoever works on it removes what is here.
  if (await isDeleted(services, plan)) return false;
  await movePointer(services, plan, pointer, context);
  const spentSeconds = markers.reduce((sum, marker) => sum + marker.elapsedSeconds, 0);
  await report(services, { type: 'asset.ready', jobId, spentSeconds, ...asset }, context);
  return true;
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
