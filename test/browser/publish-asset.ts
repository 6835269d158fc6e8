import { versionKey } from '../../core/model/keys.ts';
import { serialiseJob } from '../../core/model/message.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import { uploadFile } from '../../core/storage/upload.ts';
import type { ListedAsset } from '../../scripts/pages/pages.ts';
import { segmentPath } from '../../worker/plan/formats.ts';
import { clip } from '../e2e/clips.ts';
import type { Machine } from '../e2e/machine.ts';

export interface PublishedAsset extends ListedAsset {
  readonly poster: string;
  readonly firstSegment: string;
}

/** Has a worker publish six seconds of a test picture with a tone. */
export async function publishAsset(machine: Machine, title: string): Promise<PublishedAsset> {
  const { store } = machine.backend;
  // Uploads to this bucket start no job, so the message below can have a title.
  const source = { bucket: BUCKETS.work, key: 'played.mp4' };
  const file = clip({ name: 'played.mp4', seconds: 6, size: '320x180' });
  await uploadFile({ store, ...source, file });
  machine.start();
  await machine.send(serialiseJob({ source, options: { title } }));
  const {
    assetId,
    version,
    playlist,
    poster = '',
    durationSeconds,
    renditions,
  } = await machine.ready();
  const firstSegment = versionKey(assetId, version, segmentPath('180p', 0));
  return { assetId, title, durationSeconds, playlist, poster, renditions, firstSegment };
}
