import { isDeleted } from '../core/catalog/deletion.ts';
import { givenTitle, readPointer, replacePointer } from '../core/catalog/pointer.ts';
import type { Pointer } from '../core/catalog/pointer.ts';
import { parseAsset } from '../core/model/asset.ts';
import { FaultyOutputError } from '../core/model/errors.ts';
import {
  ASSET_PATH,
  deliveryHeaders,
  jobKeys,
  playlistPath,
  versionKey,
} from '../core/model/keys.ts';
import { withTitle } from '../core/model/session-data.ts';
import { readDocument } from '../core/storage/documents.ts';
import { requireUnits } from './gate.ts';
import { describeAsset } from './plan/describe-asset.ts';
import { describeDefects } from './plan/gate/defect.ts';
import {
  checkDocument,
  checkMediaPlaylist,
  checkMultivariantPlaylist,
} from './plan/gate/publication.ts';
import { planVersion } from './plan/plan.ts';
import type { Plan } from './plan/plan.ts';
import { measure, mediaPlaylist, multivariantPlaylist } from './plan/playlist.ts';
import { report } from './report.ts';
import type { Context, Services } from './services.ts';

/**
 * Publishes the asset once every unit has its marker and all files are there as planned: first the playlists, then the
 * pointer, then the event. Returns false while units are missing, or if the asset was deleted. Throws
 * FaultyOutputError if the result must not be published.
 */
export async function publishWhenDone(
  services: Services,
  plan: Plan,
  context: Context,
): Promise<boolean> {
  const markers = await requireUnits(services, plan, context);
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
  // The caller removes the files of a deleted job.
  if (await isDeleted(services, plan)) return false;
  const published = await publish(services, plan, pointer, context);
  if (published.version !== version && (await reportPublished(services, plan, context))) {
    return true;
  }
  const { title = plan.title } = published;
  const spentSeconds = markers.reduce((sum, marker) => sum + marker.elapsedSeconds, 0);
  await report(services, { type: 'asset.ready', jobId, title, spentSeconds, ...asset }, context);
  return true;
}

/**
 * Reports a job as ready without any work if its own version, or that of a job that was planned later, is already
 * published. Returns false otherwise. Looks only at the published version: markers of an old job, and files of its
 * other versions, may have expired.
 */
export async function reportPublished(
  services: Services,
  plan: Plan,
  context: Context,
): Promise<boolean> {
  const { store, config } = services;
  const { assetId, jobId } = plan;
  const pointer = await readPointer(services, assetId);
  if (!pointer) return false;
  const { version, planned } = pointer;
  if (version !== planVersion(plan) && planned <= (await timeOfPlanning(services, plan)))
    return false;
  const key = versionKey(assetId, version, ASSET_PATH);
  const asset = await readDocument(store, config.DELIVERY_BUCKET, key, parseAsset);
  if (!asset) return false;
  const title = pointer.title ?? plan.title;
  await report(services, { type: 'asset.ready', jobId, title, spentSeconds: 0, ...asset }, context);
  return true;
}

/**
 * The one write that publishes. Of two jobs for the same asset, the one that was planned later wins, whichever ends
 * last: the pointer holds the time of planning. Returns what is published afterwards.
 */
async function publish(
  services: Services,
  plan: Plan,
  playlist: string,
  { log }: Context,
): Promise<Pointer> {
  const { assetId } = plan;
  const planned = await timeOfPlanning(services, plan);
  const version = planVersion(plan);
  const ours = { playlist, version, planned, title: plan.title };
  const published = await replacePointer(services, assetId, async (current) => {
    if (current && current.planned > planned) {
      log.info({ event: 'pointer.kept', reason: 'a job that was planned later has published' });
      return undefined;
    }
    const title = (await givenTitle(services, assetId)) ?? current?.title ?? plan.title;
    return { ...ours, title, playlist: withTitle(playlist, title) };
  });
  return published ?? ours;
}

async function timeOfPlanning({ store, config }: Services, { jobId }: Plan): Promise<string> {
  const object = await store.head(config.WORK_BUCKET, jobKeys(jobId).plan);
  return object?.lastModified.toISOString() ?? '';
}
