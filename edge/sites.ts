/** `https://site.example` or `https://site.example:8443`. */
const ORIGIN = /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/i;

/**
 * A site as browsers write it: in lower case, without its scheme's usual port. Undefined for what can be no
 * allowed site. A site is an origin, or `https://*.site.example` for every subdomain of a host, however deep,
 * without the host itself. Of the host at least two labels must be left: `*.com` is no site.
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
  // Any other rewriting by the URL parser means that the text was no plain origin.
  return URL.parse(text)?.origin === origin ? origin : undefined;
}
