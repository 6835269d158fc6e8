import { readFileSync } from 'node:fs';

/** Whom the edge lets fetch. */
export interface EdgeRule {
  /** Origins, `https://site.example`, of the pages that may show the videos. */
  readonly allowedSites: readonly string[];
  /** Lets in who says nothing of where a request comes from: apps and scripts. */
  readonly allowNoContext: boolean;
  /** Lets anybody fetch posters and thumbnails, so that links to a page have a preview. */
  readonly openPosters: boolean;
}

/** CloudFront takes functions of at most 10 KB. */
const MOST_BYTES = 10_240;

/** The edge function's source with its rule filled in. Throws Error naming every site that is no origin. */
export function viewerRequestSource(rule: EdgeRule): string {
  const wrong = rule.allowedSites.filter((site) => !isOrigin(site));
  if (wrong.length > 0) {
    throw new Error(
      `These are no origins: ${wrong.map((site) => JSON.stringify(site)).join(', ')}. Write them like https://site.example, without a path.`,
    );
  }
  const source = readFileSync(new URL('viewer-request.js', import.meta.url), 'utf8');
  const config = JSON.stringify({
    ...rule,
    allowedSites: rule.allowedSites.map((site) => site.toLowerCase()),
  });
  const filled = source.replace('__CONFIG__', () => config);
  if (Buffer.byteLength(filled) > MOST_BYTES) {
    throw new Error(
      `The edge function would have ${Buffer.byteLength(filled)} bytes, and CloudFront takes ${MOST_BYTES}. Name fewer sites.`,
    );
  }
  return filled;
}

function isOrigin(site: string): boolean {
  const url = URL.parse(site);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === site.toLowerCase();
}
