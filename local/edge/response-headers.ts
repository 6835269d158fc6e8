import { CORS, HEADERS } from '../../edge/behaviours.ts';
import { isAllowed } from '../../edge/sites.ts';

/** The CDN's response headers policy, for a request of that origin: CORS headers only for who asks. */
export function policyHeaders(
  origin: string | undefined,
  allowedSites: readonly string[],
): Readonly<Record<string, string>> {
  const cors =
    origin !== undefined && isAllowed(allowedSites, origin)
      ? {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': CORS.exposedHeaders.join(', '),
        }
      : {};
  const fixed = Object.entries(HEADERS).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  return { ...cors, 'x-content-type-options': 'nosniff', ...Object.fromEntries(fixed) };
}
