/** `https://site.example` or `https://site.example:8443`. */
const ORIGIN = /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/i;

/**
 * Normalises an allowed site as browsers write origins: in lower case, without the scheme's default port. A site is
 * an origin, or `https://*.site.example` for every subdomain of a host at any depth, but not the host itself. The host
 * needs two labels: `*.com` is no site. Returns undefined for anything else.
 */
export function siteOf(text: string): string | undefined {
  const [, scheme, host] = /^(https?:\/\/)\*\.(.*)$/i.exec(text) ?? [];
  if (scheme === undefined || host === undefined) return originOf(text);
  if (!/^[^.[\]]+(\.[^.[\]]+)+$/.test(host)) return undefined;
  return originOf(scheme + host)?.replace('://', '://*.');
}

function originOf(text: string): string | undefined {
  if (!ORIGIN.test(text)) return undefined;
  const origin = text.toLowerCase().replace(/^(http:.*):80$|^(https:.*):443$/, '$1$2');
  // If the URL parser rewrites anything else, the text was not a plain origin.
  return URL.parse(text)?.origin === origin ? origin : undefined;
}
