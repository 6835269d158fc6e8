import { CORS, HEADERS } from '../behaviours.ts';

/** The CDN's response headers policy, for a request of that origin: CORS headers only where there is one. */
export function policyHeaders(origin: string | undefined): Readonly<Record<string, string>> {
  const cors =
    origin === undefined
      ? {}
      : {
          'access-control-allow-origin': CORS.readers,
          'access-control-expose-headers': CORS.exposedHeaders.join(', '),
        };
  const fixed = Object.entries(HEADERS).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  return { ...cors, 'x-content-type-options': 'nosniff', ...Object.fromEntries(fixed) };
}
