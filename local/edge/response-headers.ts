/** The CDN's response headers policy, for a request of that origin: CORS headers only for who asks. */
export function policyHeaders(
  origin: string | undefined,
  allowedSites: readonly string[],
): Readonly<Record<string, string>> {
  const cors =
    origin !== undefined && allowedSites.includes(origin.toLowerCase())
      ? {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': 'Content-Length, Content-Range, Date, ETag',
        }
      : {};
  return {
    ...cors,
    vary: 'Origin',
    'x-content-type-options': 'nosniff',
    // Without it a player on another site cannot see how fast its segments came.
    'timing-allow-origin': '*',
    // Posters are fetched without CORS, by pages of other sites than the CDN's.
    'cross-origin-resource-policy': 'cross-origin',
  };
}
