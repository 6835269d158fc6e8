/** How the distribution treats requests. infra/delivery.ts declares these values, and edge/local/ implements them. */

/** The key prefixes that viewers may read in the delivery bucket: assets, and the player's script. */
export const PUBLISHED = ['v/', 'player/'] as const;

/**
 * Who may read the delivery bucket. In every mode, only the published prefixes can be read.
 *
 * - `cdn-only`: only this stage's distribution (origin access control).
 * - `public-read-via-cdn`: anybody who sends a secret as Referer, which only the CDN knows.
 * - `public-read`: anybody, also at the bucket's own address, which bypasses the edge function.
 */
export type AccessMode = 'public-read' | 'public-read-via-cdn' | 'cdn-only';

const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * Bounds, in seconds, of how long the CDN caches an object; the object's Cache-Control chooses within them.
 * The cache key is the path and the accepted encodings.
 */
export const CACHE_POLICIES = {
  versions: { minTtl: 0, defaultTtl: YEAR_SECONDS, maxTtl: YEAR_SECONDS },
  pointer: { minTtl: 0, defaultTtl: 10, maxTtl: 10 },
  player: { minTtl: 0, defaultTtl: 300, maxTtl: 3600 },
} as const;

export type CachePolicyName = keyof typeof CACHE_POLICIES;

export const DEFAULT_POLICY: CachePolicyName = 'versions';

/**
 * The first matching pattern selects the cache policy. Patterns match the viewer's path, which may begin with a
 * token. A star also matches slashes, so the playlists within a version come before the pointer.
 */
export const PATHS: readonly { readonly pattern: string; readonly policy: CachePolicyName }[] = [
  { pattern: '*/v/*/*/index.m3u8', policy: 'versions' },
  { pattern: '*/v/*/index.m3u8', policy: 'pointer' },
  { pattern: '/player/*', policy: 'player' },
];

/**
 * The answer for a missing object: S3 says 403 to a client that may read but not list. CloudFront would cache it
 * for ten seconds, although the video may be published within them.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
 */
export const MISSING = { status: 403, cacheSeconds: 0 } as const;

/** Request headers that other players send for statistics (CTA-5004). Nothing here reads them. */
const PLAYER_HEADERS = [
  'CMCD-Request',
  'CMCD-Object',
  'CMCD-Status',
  'CMCD-Session',
  'X-Playback-Session-Id',
] as const;

/** CORS headers of objects. The edge function has checked the page's site before. */
export const CORS = {
  // The edge function refuses other sites' pages, so a list of sites would add nothing. An answer that names a site
  // would need `Vary: Origin`: without it, browsers use the cached answer for another allowed site, too.
  allowOrigin: '*',
  methods: ['GET', 'HEAD', 'OPTIONS'],
  requestHeaders: ['Range', ...PLAYER_HEADERS],
  exposedHeaders: ['Content-Length', 'Content-Range', 'Date', 'ETag'],
  maxAgeSeconds: 7200,
} as const;

/** Headers of every object, besides `X-Content-Type-Options: nosniff`. */
export const HEADERS = {
  // Lets a player on another site measure how fast its segments load.
  'Timing-Allow-Origin': '*',
  // Posters are loaded without CORS by pages of other sites than the CDN's.
  'Cross-Origin-Resource-Policy': 'cross-origin',
} as const;
