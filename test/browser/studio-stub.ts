import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildPlayer } from '../../player/build.ts';
import type { Library, LibraryItem, ReadyItem } from '../../studio/schema.ts';
import { buildPage, fillPage } from '../../studio/server/build.ts';

/** The studio's page with made-up items, for states that are hard to produce. */
export interface StudioStub {
  /** The page's address. */
  readonly url: string;
  /** Sends these items to all open pages, and to each page that opens later. */
  show(items: readonly LibraryItem[]): void;
  close(): Promise<void>;
}

const PAGE = { backendName: 'this machine', token: 'a' };
const PART_BYTES = 8 * 2 ** 20;

/** Accepts the first part of each uploaded file, and never answers the others. */
export async function openStudioStub(items: readonly LibraryItem[] = []): Promise<StudioStub> {
  const pages = new Set<ServerResponse>();
  let shown = items;
  const tell = (page: ServerResponse) => {
    const library: Library = {
      backendName: PAGE.backendName,
      origin: 'https://video.example',
      tokens: false,
      items: shown,
    };
    page.write(`data: ${JSON.stringify(library)}\n\n`);
  };
  const answers: Readonly<Record<string, (body: string) => object>> = {
    uploads: () => ({
      key: `studio/${'0'.repeat(16)}/a`,
      uploadId: String(pages.size),
      partBytes: PART_BYTES,
    }),
    'uploads/parts': () => ({ parts: [{ partNumber: 1, etag: 'a', sizeBytes: PART_BYTES }] }),
    'uploads/sign': (body) => {
      const { partNumber } = JSON.parse(body) as { readonly partNumber: number };
      return { url: `/studio/parts?${partNumber}` };
    },
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://stub');
    if (pathname === '/studio/api/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      pages.add(response);
      response.once('close', () => pages.delete(response));
      return tell(response);
    }
    const picture = /^\/v\/(\d+)\.svg$/.exec(pathname)?.[1];
    if (picture) {
      response.writeHead(200, { 'content-type': 'image/svg+xml' });
      return response.end(poster(Number(picture)));
    }
    const played = shown.find((one) => one.state === 'ready' && one.playlist === pathname);
    if (played?.state === 'ready') {
      response.writeHead(200, { 'content-type': 'application/vnd.apple.mpegurl' });
      return response.end(playlist(played));
    }
    if (pathname === '/player/vod-player.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' });
      return response.end(await buildPlayer());
    }
    if (pathname === '/studio/parts') {
      if (search !== '?1') return trickle(request);
      request.resume();
      await once(request, 'end');
      return response.writeHead(200, { etag: '"a"' }).end();
    }
    const api = answers[pathname.replace('/studio/api/', '')];
    if (api) return response.end(JSON.stringify(api(await text(request))));
    const file = (await buildPage()).get(pathname.replace('/studio/', '') || 'index.html');
    if (!file) return response.writeHead(204).end();
    response.writeHead(200, { 'content-type': file.contentType });
    return response.end(fillPage(file, PAGE));
  };

  const server = createServer((request, response) => {
    // A page that is closed aborts its requests. The page sees any other error as a missing answer.
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/studio/`,
    show: (next) => {
      shown = next;
      for (const page of pages) tell(page);
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function text(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

/** Reads about a megabyte per second, and never answers. */
function trickle(request: IncomingMessage): void {
  request.on('data', () => {
    request.pause();
    setTimeout(() => request.resume(), 60);
  });
}

/** What the player reads before it plays: whether there is a picture. */
function playlist({ renditions, audio }: ReadyItem): string {
  const variants = [
    ...renditions.map(({ width, height, codecs }) => `${codecs}",RESOLUTION=${width}x${height}`),
    ...(renditions.length > 0 ? [] : audio.map(() => 'mp4a.40.2"')),
  ];
  const lines = variants.map((codecs) => `#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="${codecs}\nnone`);
  return ['#EXTM3U', ...lines, ''].join('\n');
}

/** A landscape in the given hue, in degrees. */
function poster(hue: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 90">
    <rect width="160" height="90" fill="hsl(${hue} 55% 72%)"/>
    <circle cx="${30 + (hue % 100)}" cy="28" r="11" fill="hsl(${hue + 40} 90% 88%)"/>
    <path d="M0 66 38 38 64 58 104 26l56 40v24H0z" fill="hsl(${hue} 40% 45%)"/>
    <path d="M0 78 50 60l40 16 34-14 36 14v14H0z" fill="hsl(${hue} 45% 28%)"/></svg>`;
}

/** An item in each state, the newest first. */
export function exampleItems(): readonly LibraryItem[] {
  return [
    { ...named(1, 'Interview with the harbour master', 'mov'), state: 'waiting' },
    {
      ...named(2, 'Product tour, spring edition', 'mp4'),
      state: 'working',
      percent: 43,
      secondsLeft: 130,
      stalled: false,
    },
    {
      ...named(3, 'All-hands meeting', 'mkv'),
      state: 'working',
      percent: 71,
      stalled: false,
      lastError: 'The delivery bucket answered 503 Slow Down.',
    },
    readyItem(4, 'Alpine sunrise, four kilometres above the valley'),
    {
      ...named(5, 'notes', 'mp4'),
      state: 'rejected',
      code: 'unreadable_source',
      reason:
        'The file is not a video, or is damaged at its start or end: it could not be opened. Export or upload it again.',
      canRetry: false,
    },
    {
      ...named(6, '강의 #2: Protection with PropTypes', 'webm'),
      state: 'failed',
      code: 'encoder_failed',
      reason:
        'The encoder ended five times. Try it again; if it fails again, tell your administrator.',
      canRetry: true,
    },
    soundItem(7, 'Episode 12: The sound of the sea'),
    readyItem(8, 'Gear review'),
  ];
}

/** A number of ready videos. */
export function manyItems(count: number): readonly LibraryItem[] {
  return Array.from({ length: count }, (_, index) =>
    readyItem(index + 1, `Lecture ${count - index}`),
  );
}

function named(number: number, title: string, extension: string) {
  return {
    id: String(number).padStart(20, '0'),
    title,
    fileName: `${title}.${extension}`,
    uploadedAt: new Date(Date.UTC(2026, 10, 26, 12) - number * 5_400_000).toISOString(),
  };
}

function readyItem(number: number, title: string): ReadyItem {
  const one = named(number, title, 'mp4');
  const origin = 'https://video.example';
  const playlist = `/v/${one.id}/index.m3u8`;
  const rendition = (name: string, width: number, height: number, mbps: number) => ({
    name,
    width,
    height,
    codecs: 'avc1.640028',
    averageBitRate: mbps * 1e6,
    peakBitRate: mbps * 1.4e6,
    bytes: mbps * 1e6 * 23,
  });
  return {
    ...one,
    state: 'ready',
    durationSeconds: 184,
    playlist,
    watchPage: `/watch/${one.id}`,
    poster: `/v/${(number * 47) % 360}.svg`,
    playAddress: `${origin}${playlist}`,
    embedCode: `<script type="module" src="${origin}/player/vod-player.js"></script>\n<vod-player src="${origin}${playlist}" title="${title}"></vod-player>`,
    renditions: [
      rendition('720p', 1280, 720, 2.1),
      rendition('540p', 960, 540, 1.2),
      rendition('360p', 640, 360, 0.6),
      rendition('234p', 416, 234, 0.24),
    ],
    audio: [
      { name: 'a0', label: 'English', language: 'en', averageBitRate: 128_000, bytes: 2_944_000 },
    ],
    skipped: [{ rung: '1080p', reason: 'larger_than_source' }],
    leftOut: ['Subtitles (Korean) left out: subtitles inside a file do not become captions yet.'],
    bytes: 98_700_000,
  };
}

function soundItem(number: number, title: string): ReadyItem {
  const { poster: _none, ...ready } = readyItem(number, title);
  return { ...ready, durationSeconds: 3_725, renditions: [], skipped: [], bytes: 59_600_000 };
}
