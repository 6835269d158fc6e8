import type { ReadyEvent } from '../../core/model/asset.ts';
import { serialiseJob } from '../../core/model/message.ts';
import type { JobOptions } from '../../core/model/message.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import { uploadFile } from '../../core/storage/upload.ts';
import type { Edge } from '../../edge/local/server.ts';
import { startSite } from '../../scripts/pages/site.ts';
import { Machine } from '../e2e/machine.ts';
import { recordResponses } from './responses.ts';
import { Site } from './site.ts';

/** An edge with videos, a site that may show them, and one that may not. Each has its own origin. */
export interface Fixture {
  readonly edge: Edge;
  readonly site: Site;
  readonly foreignSite: Site;
  /** The edge's responses to requests for videos, oldest first: `200 v/…`. */
  readonly responses: string[];
  /** Has a worker make an asset of a file. */
  publish(file: string, options: JobOptions): Promise<ReadyEvent>;
  /** The two lines that embed the player, with further attributes and children. */
  embedCode(
    asset: ReadyEvent | string,
    attributes?: Readonly<Record<string, string>>,
    children?: string,
  ): string;
  close(): Promise<void>;
}

/** If there are keys, the edge demands tokens signed with one of them. */
export async function openFixture(tokenKeys: readonly string[] = []): Promise<Fixture> {
  const machine = await Machine.open();
  const { store } = machine.backend;
  const site = await Site.open();
  const foreignSite = await Site.open();
  const { responses, log } = recordResponses();
  const assets: ReadyEvent[] = [];
  const edge = await startSite({
    store,
    deliveryBucket: BUCKETS.delivery,
    port: 0,
    allowedSites: [site.origin],
    tokenKeys,
    listAssets: async () => assets,
    log,
  });
  machine.start();
  return {
    edge,
    site,
    foreignSite,
    responses,
    publish: async (file, options) => {
      // Uploads to this bucket start no job, so the message below can have options.
      const source = { bucket: BUCKETS.work, key: `${assets.length}.mp4` };
      await uploadFile({ store, ...source, file });
      await machine.send(serialiseJob({ source, options }));
      const asset = await machine.ready();
      assets.push(asset);
      return asset;
    },
    embedCode: (asset, attributes = {}, children = '') => {
      const src = typeof asset === 'string' ? asset : `${edge.origin}/${asset.playlist}`;
      const all = Object.entries({ src, ...attributes });
      const written = all.map(([name, value]) => `${name}="${value}"`).join(' ');
      return `<script type="module" src="${edge.origin}/player/vod-player.js"></script>
        <vod-player ${written}>${children}</vod-player>`;
    },
    close: async () => {
      site.close();
      foreignSite.close();
      await edge.close();
      await machine.close();
    },
  };
}
