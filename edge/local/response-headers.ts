import { CORS, HEADERS } from '../behaviours.ts';

/** The headers of the CDN's response headers policy. CORS headers are added only if the request has an Origin. */
export function policyHeaders(origin: string | undefined): Readonly<Record<string, string>> {
  const cors =
    origin === undefined
      ? {}
      : {
          'access-control-allow-origin': CORS.allowOrigin,
          'access-control-expose-headers': CORS.exposedHeaders.join(', '),
        };
  const fixed = Object.entries(HEADERS).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  return { ...cors, 'x-content-type-options': 'nosniff', ...Object.fromEntries(fixed) };
}
