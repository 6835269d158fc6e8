import { listAssetIds, readAsset } from '../../core/catalog/assets.ts';
import type { PublishedAsset } from '../../core/catalog/assets.ts';
import type { Catalog } from '../../core/catalog/catalog.ts';

/** All published assets, newest first. */
export async function listAssets(
  catalog: Catalog<'DELIVERY_BUCKET'>,
): Promise<readonly PublishedAsset[]> {
  const assets = [];
  for await (const assetId of listAssetIds(catalog)) {
    const asset = await readAsset(catalog, assetId);
    if (asset) assets.push(asset);
  }
  return assets.sort((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime());
}
