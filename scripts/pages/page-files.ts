import { readFile } from 'node:fs/promises';
import { StaticFile } from '../../core/http/static-file.ts';
import { buildPlayer } from '../../player/build.ts';

/** The player's path for pages of any site, as on the CDN. */
const PLAYER_PATH = '/player/vod-player.js';

/** Pages fetch module scripts by CORS. Any site may load the player; access is decided at the playlist. */
const ANY_ORIGIN = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

const loadPlayer = lazy(
  async () => new StaticFile(await buildPlayer(), 'text/javascript; charset=utf-8'),
);

/** Loads the other files, by path. */
const FILES = new Map([
  ['/player/pages.css', lazy(() => load('pages.css', 'text/css; charset=utf-8'))],
  ['/player/icon.svg', lazy(() => load('../../studio/page/icon.svg', 'image/svg+xml'))],
]);

export interface PageFile {
  readonly file: StaticFile;
  /** In addition to the headers of every response. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The player's path for the pages of this server. It contains a hash of the content. */
export async function versionedPlayer(): Promise<string> {
  return PLAYER_PATH.replace('.js', `-${(await loadPlayer()).hash}.js`);
}

/** Finds a file that the pages load, and builds it at the first request. Undefined if there is none at this path. */
export async function findPageFile(path: string): Promise<PageFile | undefined> {
  const noCache = { 'cache-control': 'no-cache' };
  const file = await FILES.get(path)?.();
  if (file) return { file, headers: noCache };
  if (path === PLAYER_PATH) {
    return { file: await loadPlayer(), headers: { ...noCache, ...ANY_ORIGIN } };
  }
  if (path.startsWith('/player/vod-player-') && path === (await versionedPlayer())) {
    const immutable = { 'cache-control': 'public, max-age=31536000, immutable' };
    return { file: await loadPlayer(), headers: { ...immutable, ...ANY_ORIGIN } };
  }
  return undefined;
}

async function load(name: string, type: string): Promise<StaticFile> {
  return new StaticFile(await readFile(new URL(name, import.meta.url)), type);
}

/** Calls the function once and keeps its result. After a failure, the next call tries again. */
function lazy<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let result: Promise<Value> | undefined;
  return () =>
    (result ??= load().catch((error: unknown) => {
      result = undefined;
      throw error;
    }));
}
