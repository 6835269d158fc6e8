import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Reply } from '../../core/http/reply.ts';
import { findPageFile, versionedPlayer } from './page-files.ts';

/** What the pages show of an asset. `playlist` and `poster` are paths on the edge, without the leading slash. */
export interface ListedAsset {
  readonly assetId: string;
  readonly title: string;
  readonly durationSeconds: number;
  readonly playlist: string;
  readonly poster?: string | undefined;
  /** All have the same aspect ratio, up to rounding. Empty for sound only. */
  readonly renditions: readonly { readonly width: number; readonly height: number }[];
}

/** Allows nothing from other origins. docs/player.md lists what the player needs. */
const POLICY = [
  "default-src 'self'",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "object-src 'none'",
].join('; ');

/** Sent with every response. */
const HEADERS = { 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' };

/** Answers `/`, `/watch/<assetId>` and the pages' files, and 404 for all other paths. */
export async function answerPage(
  listAssets: () => Promise<readonly ListedAsset[]>,
  { method = 'GET', url = '/', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
): Promise<Reply> {
  if (method !== 'GET' && method !== 'HEAD') {
    return messagePage(405, 'Not allowed', 'This page accepts GET requests only.');
  }
  const path = url.split('?', 1)[0] ?? '/';
  const pageFile = await findPageFile(path);
  if (pageFile) return pageFile.file.answer(headers, { ...HEADERS, ...pageFile.headers });
  if (path === '/') return listPage(await listAssets());
  const assetId = /^\/watch\/([0-9a-z]+)$/.exec(path)?.[1];
  const asset = assetId && (await listAssets()).find((one) => one.assetId === assetId);
  return asset ? watchPage(asset) : messagePage(404, 'Not found', 'There is no such page.');
}

async function listPage(assets: readonly ListedAsset[]): Promise<Reply> {
  const items = await Promise.all(
    assets.map(({ assetId, title, durationSeconds, poster }) =>
      render('list-item.html', {
        assetId,
        title,
        length: formatDuration(durationSeconds),
        picture: poster
          ? html(`<img src="${escapeHtml(`/${poster}`)}" alt="" loading="lazy" />`)
          : html('<span class="note" aria-hidden="true">♪</span>'),
      }),
    ),
  );
  const empty =
    '<p class="empty">Nothing is published yet. A video appears here when it is ready.</p>';
  const filled = items.length > 0 ? `<ul class="assets">${items.join('')}</ul>` : empty;
  const refresh = items.length > 0 ? '' : '<meta http-equiv="refresh" content="5" />';
  return htmlReply(200, 'list.html', { assets: html(filled), refresh: html(refresh) });
}

async function watchPage(asset: ListedAsset): Promise<Reply> {
  const { title, playlist, poster, durationSeconds, renditions } = asset;
  const { width, height } = renditions[0] ?? { width: 16, height: 9 };
  return htmlReply(200, 'watch.html', {
    title,
    player: await versionedPlayer(),
    ratio: `${width}/${height}`,
    playlist: `/${playlist}`,
    poster: poster ? `/${poster}` : '',
    length: formatDuration(durationSeconds),
  });
}

function messagePage(status: number, title: string, sentence: string): Promise<Reply> {
  return htmlReply(status, 'message.html', { title, sentence });
}

async function htmlReply(status: number, template: string, values: Values): Promise<Reply> {
  const body = await render(template, values);
  return {
    status,
    headers: {
      ...HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-cache',
    },
    body,
  };
}

/** Strings are escaped. Markup is passed as `{ html }`. */
type Values = Readonly<Record<string, string | { readonly html: string }>>;

/** Replaces each `{{name}}` in a template by its value. Throws Error if a name has no value. */
async function render(template: string, values: Values): Promise<string> {
  const text = await readFile(new URL(template, import.meta.url), 'utf8');
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template} has no value for ${name}.`);
    return typeof value === 'string' ? escapeHtml(value) : value.html;
  });
}

function html(markup: string): { readonly html: string } {
  return { html: markup };
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}
