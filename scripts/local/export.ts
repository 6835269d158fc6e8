import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { AssetDocument } from '../../core/model/asset.ts';
import { pointerKey, versionKey } from '../../core/model/keys.ts';
import { makeFolder } from '../../core/storage/folder.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';

/**
 * Copies a published asset to `directory/<assetId>/`, as files that any web server can serve, and returns the playlist's
 * path. The playlist is copied last, after the files that it names.
 */
export async function exportAsset(
  store: ObjectStore,
  bucket: string,
  { assetId, version }: Pick<AssetDocument, 'assetId' | 'version'>,
  directory: string,
): Promise<string> {
  const root = pointerKey(assetId).replace(/index\.m3u8$/, '');
  const copy = async (key: string) => {
    const path = join(directory, assetId, key.slice(root.length));
    const found = await store.get(bucket, key);
    if (!found) throw new Error(`${bucket}/${key} is gone.`);
    await makeFolder(dirname(path));
    const draft = `${path}.draft`;
    try {
      await pipeline(found.body, createWriteStream(draft));
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    return path;
  };
  for await (const { key } of store.list(bucket, versionKey(assetId, version, ''))) await copy(key);
  return copy(pointerKey(assetId));
}
