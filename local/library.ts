import { readDocument } from '../worker/io/documents.ts';
import type { ObjectStore } from '../worker/io/ports.ts';
import { parseAsset } from '../worker/plan/asset.ts';
import type { AssetDocument } from '../worker/plan/asset.ts';
import { ASSET_PATH, pointerKey, versionKey } from '../worker/plan/keys.ts';

/** Every published asset, the newest first. */
export async function listAssets(
  store: ObjectStore,
  bucket: string,
): Promise<readonly AssetDocument[]> {
  const pointers = [];
  for await (const { key, lastModified } of store.list(bucket, 'v/')) {
    const assetId = key.split('/', 2)[1] ?? '';
    if (key === pointerKey(assetId)) pointers.push({ assetId, lastModified });
  }
  pointers.sort((a, b) => b.lastModified.getTime() - a.lastModified.getTime());
  const assets = [];
  for (const { assetId } of pointers) {
    const pointer = await store.head(bucket, pointerKey(assetId));
    const key = versionKey(assetId, pointer?.metadata['version'] ?? '', ASSET_PATH);
    const asset = await readDocument(store, bucket, key, parseAsset);
    if (asset) assets.push(asset);
  }
  return assets;
}
