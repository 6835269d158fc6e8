/** How the distribution treats requests, as plain values: infra/delivery.ts declares them, and edge/local/ behaves so. */

/**
 * What is published; nothing else of the delivery bucket is. Assets are below `v/`, and below `player/`
 * is the player's script.
 */
export const PUBLISHED = ['v/', 'player/'] as const;

/**
 * How viewers reach what is published. Whatever the mode, only that can be read (edge/behaviours.ts).
 *
 * - `cdn-only`: only this stage's distribution reads the bucket (origin access control).
 * - `public-read-via-cdn`: a public-read policy that also demands a secret which the CDN alone sends.
 * - `public-read`: anybody reads, also at the bucket's own address, past the edge and its rule.
 */
export type AccessMode = 'public-read' | 'public-read-via-cdn' | 'cdn-only';

const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * How long an edge keeps an object, in seconds. Objects say so themselves (Cache-Control): this bounds it.
 * Of a request its path counts, and which encodings its viewer takes; nothing else.
 */
export const CACHE_POLICIES = {
  versions: { minTtl: 0, defaultTtl: YEAR_SECONDS, maxTtl: YEAR_SECONDS },
  pointer: { minTtl: 0, defaultTtl: 10, maxTtl: 10 },
  player: { minTtl: 0, defaultTtl: 300, maxTtl: 3600 },
} as const;

export type CachePolicyName = keyof typeof CACHE_POLICIES;

export const DEFAULT_POLICY: CachePolicyName = 'versions';

/**
 * The first pattern that matches counts. They match what the viewer asked for, thus with a token before
 * it. A star means slashes, too: a version's own playlists are told apart first.
 */
export const PATHS: readonly { readonly pattern: string; readonly policy: CachePolicyName }[] = [
  { pattern: '*/v/*/*/index.m3u8', policy: 'versions' },
  { pattern: '*/v/*/index.m3u8', policy: 'pointer' },
  { pattern: '/player/*', policy: 'player' },
];

/**
 * How what is not there is answered: to who may read but not list, S3 says 403. By itself CloudFront would
 * keep that for ten seconds, also of a video that is published in them.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
 */
export const MISSING = { status: 403, keptSeconds: 0 } as const;

/** Sent by other players for statistics (CTA-5004), and to tell playbacks apart. Nothing here reads them. */
const PLAYER_HEADERS = [
  ...['CMCD-Request', 'CMCD-Object', 'CMCD-Status', 'CMCD-Session'],
  'X-Playback-Session-Id',
] as const;

/** For pages, which the edge function has let through by then. */
export const CORS = {
  // The function turns other sites' pages away, so that a list of sites here would add nothing. And an
  // answer that names a site would need `Vary: Origin`, or a browser keeps it for another allowed site, too.
  readers: '*',
  methods: ['GET', 'HEAD', 'OPTIONS'],
  requestHeaders: ['Range', ...PLAYER_HEADERS],
  exposedHeaders: ['Content-Length', 'Content-Range', 'Date', 'ETag'],
  maxAgeSeconds: 7200,
} as const;

/** With every object, beside `X-Content-Type-Options: nosniff`. */
export const HEADERS = {
  // Without it a player on another site cannot see how fast its segments came.
  'Timing-Allow-Origin': '*',
  // Posters are fetched without CORS, by pages of other sites than the CDN's.
  'Cross-Origin-Resource-Policy': 'cross-origin',
} as const;
