import { readFile } from 'node:fs/promises';
import { buildPlayer } from '../../player/build.ts';
import { StaticFile } from '../../core/http/static-file.ts';

/** The element under the name that every site's pages load it by, here as from the CDN. */
const PLAYER = '/player/vod-player.js';

/** Module scripts are fetched by CORS; whose page may show a video is decided at its playlist. */
const FOR_EVERY_SITE = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

const loadPlayer = once(
  async () => new StaticFile(await buildPlayer(), 'text/javascript; charset=utf-8'),
);

/** The others, by their paths. */
const FILES = new Map([
  ['/player/pages.css', once(() => load('pages.css', 'text/css; charset=utf-8'))],
  ['/player/icon.svg', once(() => load('../../studio/page/icon.svg', 'image/svg+xml'))],
]);

export interface PageFile {
  readonly file: StaticFile;
  /** Besides those of every answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The path of the element under a name that changes with its content, for the pages here. */
export async function versionedPlayer(): Promise<string> {
  return PLAYER.replace('.js', `-${(await loadPlayer()).hash}.js`);
}

/** A file that the pages load; undefined where there is none of that path. Each is made when it is first asked for. */
export async function findPageFile(path: string): Promise<PageFile | undefined> {
  const headers = { 'cache-control': 'no-cache' };
  const file = await FILES.get(path)?.();
  if (file) return { file, headers };
  if (path === PLAYER) {
    return { file: await loadPlayer(), headers: { ...headers, ...FOR_EVERY_SITE } };
  }
  if (path.startsWith('/player/vod-player-') && path === (await versionedPlayer())) {
    const forGood = { 'cache-control': 'public, max-age=31536000, immutable' };
    return { file: await loadPlayer(), headers: { ...forGood, ...FOR_EVERY_SITE } };
  }
  return undefined;
}

async function load(name: string, type: string): Promise<StaticFile> {
  return new StaticFile(await readFile(new URL(name, import.meta.url)), type);
}

/** Makes it at the first call, and again after a failure. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
