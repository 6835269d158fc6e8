import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';

/** What the pages show of an asset; addresses are paths of the edge. */
export interface ListedAsset {
  readonly assetId: string;
  readonly title: string;
  readonly durationSeconds: number;
  readonly playlist: string;
  readonly poster?: string | undefined;
}

export interface Pages {
  /** The origins that are this server's own. */
  readonly own: readonly string[];
  readonly listAssets: () => Promise<readonly ListedAsset[]>;
}

const require = createRequire(import.meta.url);

/** The files of the pages, by their paths. */
const FILES = new Map<string, { readonly path: URL | string; readonly type: string }>([
  ['/player/watch.js', { path: playerFile('watch.js'), type: 'text/javascript' }],
  ['/player/pages.css', { path: playerFile('pages.css'), type: 'text/css' }],
  ['/player/hls.js', { path: require.resolve('hls.js/dist/hls.min.js'), type: 'text/javascript' }],
]);

/** Nothing from elsewhere; blob: is where Media Source Extensions and hls.js's worker come from. */
const POLICY = [
  "default-src 'self'",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Answers `/`, `/watch/<assetId>` and the pages' files; everything else is not found. */
export async function servePage(
  { own, listAssets }: Pages,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  // Another name that leads to this machine is a page of somebody else's (DNS rebinding).
  if (!own.includes(`http://${request.headers.host ?? ''}`))
    return send(response, 403, page('Not here', notHere()));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return send(response, 405, page('Not possible', '<main><h1>Not possible</h1></main>'));
  }
  const file = FILES.get(path);
  if (file) return send(response, 200, await readFile(file.path), file.type);
  if (path === '/') return send(response, 200, listPage(await listAssets()));
  const assetId = /^\/watch\/([0-9a-z]+)$/.exec(path)?.[1];
  const asset = (await listAssets()).find((one) => one.assetId === assetId);
  if (asset) return send(response, 200, watchPage(asset));
  send(response, 404, page('Not found', notFound()));
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  type = 'text/html; charset=utf-8',
): void {
  response.writeHead(status, {
    'content-type': type,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'strict-origin-when-cross-origin',
    'cache-control': 'no-cache',
  });
  response.end(body);
}

function listPage(assets: readonly ListedAsset[]): string {
  const items = assets.map(
    ({ assetId, title, durationSeconds, poster }) => `
      <li><a href="/watch/${escape(assetId)}">
        <span class="picture">${poster ? `<img src="/${escape(poster)}" alt="" loading="lazy">` : '<span class="note" aria-hidden="true">♪</span>'}
        <span class="length">${clock(durationSeconds)}</span></span>
        <span class="title">${escape(title)}</span>
      </a></li>`,
  );
  const list =
    assets.length > 0
      ? `<ul class="assets">${items.join('')}</ul>`
      : '<p class="empty">Nothing is published yet. Start with a file: <code>./scripts/start talk.mp4</code></p>';
  return page('Videos', `<main><h1>Videos</h1>${list}</main>`);
}

function watchPage({ title, playlist, poster, durationSeconds }: ListedAsset): string {
  const picture = poster ? ` poster="/${escape(poster)}"` : '';
  return page(
    title,
    `<main>
      <p class="back"><a href="/">← All videos</a></p>
      <div class="player" data-playlist="/${escape(playlist)}">
        <video preload="none" playsinline${picture} aria-label="${escape(title)}"></video>
        <button type="button" class="play"><span aria-hidden="true">▶</span> Play</button>
        <p class="problem" role="alert" hidden></p>
      </div>
      <h1>${escape(title)}</h1>
      <p class="facts">${clock(durationSeconds)}</p>
    </main>
    <script src="/player/hls.js"></script>
    <script src="/player/watch.js"></script>`,
  );
}

function notFound(): string {
  return '<main><h1>Not found</h1><p>There is no such video. <a href="/">See all videos</a></p></main>';
}

function notHere(): string {
  return '<main><h1>Not here</h1><p>Open this page at 127.0.0.1.</p></main>';
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${escape(title)}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/player/pages.css">
  </head>
  <body>${body}</body>
</html>
`;
}

function playerFile(name: string): URL {
  return new URL(`../player/${name}`, import.meta.url);
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}
