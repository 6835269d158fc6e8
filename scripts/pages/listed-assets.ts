import { listAssetIds, readAsset } from '../../core/catalog/assets.ts';
import type { PublishedAsset } from '../../core/catalog/assets.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';

/** Every published asset, the newest first. */
export async function listAssets(
  store: ObjectStore,
  bucket: string,
): Promise<readonly PublishedAsset[]> {
  const assets = [];
  for await (const assetId of listAssetIds(store, bucket)) {
    const asset = await readAsset(store, bucket, assetId);
    if (asset) assets.push(asset);
  }
  return assets.sort((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime());
}
