/** `https://site.example`, with a port where it is not the usual one: what a browser sends as Origin. */
const ORIGIN = /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/i;

/** The labels that a star stands for. */
const SUBDOMAINS = /^([a-z0-9_-]+\.)*[a-z0-9_-]+$/;

/**
 * Whether that can be an allowed site: an origin, or `https://*.site.example` for every subdomain of a
 * host, however deep, without the host itself. Of the host at least two labels must be left: `*.com` is no site.
 */
export function isSite(site: string): boolean {
  const [, scheme, host] = /^(https?:\/\/)\*\.(.*)$/i.exec(site) ?? [];
  if (scheme === undefined || host === undefined) return isOrigin(site);
  return /^[^.[\]]+(\.[^.[\]]+)+$/.test(host) && isOrigin(scheme + host);
}

function isOrigin(text: string): boolean {
  return ORIGIN.test(text) && URL.parse(text)?.origin === text.toLowerCase();
}

/** Whether one of the sites, all in lower case, is that origin or has a star for it. */
export function isAllowed(sites: readonly string[], origin: string): boolean {
  const asked = origin.toLowerCase();
  return sites.some((site) => {
    const [before = '', after] = site.split('*');
    if (after === undefined) return asked === site;
    const between = asked.slice(before.length, -after.length);
    return asked === before + between + after && SUBDOMAINS.test(between);
  });
}
