import { startSite } from '../../scripts/pages/site.ts';
import type { Edge } from '../../edge/local/server.ts';
import { BUCKETS } from '../../core/model/roles.ts';
import { uploadFile } from '../../core/storage/upload.ts';
import { createLog } from '../../core/log.ts';
import type { ReadyEvent } from '../../core/model/asset.ts';
import { serialiseJob } from '../../core/model/message.ts';
import type { JobOptions } from '../../core/model/message.ts';
import { Machine } from '../e2e/machine.ts';
import { Site } from './site.ts';

/** An edge with videos, a site that may show them, and one that may not: three origins. */
export interface Fixture {
  readonly edge: Edge;
  readonly site: Site;
  readonly foreignSite: Site;
  /** What the edge answered of videos, the oldest first: `200 v/…`. */
  readonly answered: string[];
  /** Has a worker make an asset of a file. */
  publish(file: string, options: JobOptions): Promise<ReadyEvent>;
  /** The two lines that a site pastes, with further attributes and children. */
  embedCode(
    asset: ReadyEvent | string,
    attributes?: Readonly<Record<string, string>>,
    children?: string,
  ): string;
  close(): Promise<void>;
}

/** With keys the edge wants tokens that one of them signed. */
export async function openFixture(tokenKeys: readonly string[] = []): Promise<Fixture> {
  const machine = await Machine.open();
  const { store } = machine.backend;
  const site = await Site.open();
  const foreignSite = await Site.open();
  const answered: string[] = [];
  const assets: ReadyEvent[] = [];
  const edge = await startSite({
    ...{ store, deliveryBucket: BUCKETS.delivery, port: 0 },
    allowedSites: [site.origin],
    tokenKeys,
    listAssets: async () => assets,
    log: Object.assign(createLog('silent'), {
      debug: ({ path, status }: { readonly path: string; readonly status: number }) => {
        if (/^\/[vt]\//.test(path)) answered.push(`${status} ${path.slice(1)}`);
      },
    }),
  });
  machine.start();
  return {
    ...{ edge, site, foreignSite, answered },
    publish: async (file, options) => {
      // A bucket that tells of no uploads: the job is asked for with its options below.
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
