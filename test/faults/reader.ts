import { posix } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { pointerKey } from '../../core/model/keys.ts';
import type { ObjectStore } from '../../core/storage/ports.ts';

const POLL_MILLISECONDS = 250;

/**
 * Reads an asset repeatedly, as players do, until `stop` is aborted. All objects that a playlist names must exist, and
 * no playlist may become shorter. Returns a sentence for each violation.
 */
export async function readRepeatedly(
  store: ObjectStore,
  bucket: string,
  assetId: string,
  stop: AbortSignal,
): Promise<readonly string[]> {
  const violations = new Set<string>();
  const lengths = new Map<string, number>();
  const text = async (key: string) => {
    const found = await store.get(bucket, key);
    return found && (await new Response(found.body as unknown as ReadableStream).text());
  };
  const read = async (key: string, from: string): Promise<void> => {
    if (!key.endsWith('.m3u8')) {
      if (!(await store.head(bucket, key)))
        violations.add(`${from} names ${key}, which is missing.`);
      return;
    }
    const playlist = await text(key);
    if (playlist === undefined) {
      violations.add(`${from} names ${key}, which is missing.`);
      return;
    }
    const uris = urisOf(playlist);
    if (uris.length < (lengths.get(key) ?? 0)) violations.add(`${key} became shorter.`);
    lengths.set(key, uris.length);
    for (const uri of uris) await read(posix.join(posix.dirname(key), uri), key);
  };
  while (!stop.aborted) {
    const pointer = pointerKey(assetId);
    if (await store.head(bucket, pointer)) await read(pointer, 'The address');
    else if (lengths.size > 0) violations.add('The asset was published, and is gone.');
    await after(POLL_MILLISECONDS, undefined, { signal: stop }).catch(() => undefined);
  }
  return [...violations];
}

/** The URIs in a playlist: of segments, of other playlists, and in tags. */
function urisOf(playlist: string): readonly string[] {
  return playlist.split('\n').flatMap((line) => {
    if (line === '') return [];
    if (!line.startsWith('#')) return [line];
    const uri = /[:,]URI="([^"]+)"/.exec(line)?.[1];
    return uri === undefined ? [] : [uri];
  });
}
