import { parseAsset } from '../model/asset.ts';
import type { AssetDocument } from '../model/asset.ts';
import { ASSETS_PREFIX, ASSET_PATH, assetPrefix, pointerKey, versionKey } from '../model/keys.ts';
import { storedTitle, titleOf } from '../model/title.ts';
import { readDocument } from '../storage/documents.ts';
import type { Catalog } from './catalog.ts';

export interface PublishedAsset extends AssetDocument {
  readonly title: string;
  readonly publishedAt: Date;
}

/**
 * Yields the ids of all assets of the delivery bucket. An asset can have thousands of objects, so each listing stops
 * at the first one and the next listing starts after the asset.
 */
export async function* listAssetIds({
  store,
  config,
}: Catalog<'DELIVERY_BUCKET'>): AsyncGenerator<string> {
  let after = '';
  for (;;) {
    const first = await firstOf(store.list(config.DELIVERY_BUCKET, ASSETS_PREFIX, after));
    const assetId = first?.key.split('/', 2)[1];
    if (assetId === undefined) return;
    yield assetId;
    // `v/<id>0` follows every key below `v/<id>/`, as 0 follows the slash.
    after = assetPrefix(assetId).replace(/\/$/, '0');
  }
}

async function firstOf<Value>(values: AsyncIterable<Value>): Promise<Value | undefined> {
  for await (const value of values) return value;
  return undefined;
}

/** Reads what is published of an asset. Resolves to undefined when nothing is. */
export async function readAsset(
  { store, config }: Catalog<'DELIVERY_BUCKET'>,
  assetId: string,
): Promise<PublishedAsset | undefined> {
  const pointer = await store.head(config.DELIVERY_BUCKET, pointerKey(assetId));
  if (!pointer) return undefined;
  const key = versionKey(assetId, pointer.metadata['version'] ?? '', ASSET_PATH);
  const asset = await readDocument(store, config.DELIVERY_BUCKET, key, parseAsset);
  if (!asset) return undefined;
  const title = titleOf(asset.source.key, storedTitle(pointer.metadata));
  return { ...asset, title, publishedAt: pointer.lastModified };
}
