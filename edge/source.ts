import { readFileSync } from 'node:fs';

/** Whom the edge lets fetch. */
export interface EdgeRule {
  /** Origins, `https://site.example`, of the pages that may show the videos. */
  readonly allowedSites: readonly string[];
  /** Lets in who says nothing of where a request comes from: apps and scripts. */
  readonly allowNoContext: boolean;
  /** Lets anybody fetch posters and thumbnails, so that links to a page have a preview. Default: false. */
  readonly openPosters?: boolean;
}

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html */
const MOST_BYTES = 10_240;

/**
 * The edge function's source with its rule filled in. Throws Error naming every site that is no
 * origin, or saying that the function became larger than CloudFront takes.
 */
export function viewerRequestSource(rule: EdgeRule): string {
  const { allowedSites, allowNoContext, openPosters = false } = rule;
  const wrong = allowedSites.filter((site) => !isOrigin(site));
  if (wrong.length > 0) {
    const names = wrong.map((site) => JSON.stringify(site)).join(', ');
    const are = wrong.length > 1 ? 'These are no origins' : 'This is no origin';
    throw new Error(`${are}: ${names}. Write an origin like https://site.example, without a path.`);
  }
  const sites = [...new Set(allowedSites.map((site) => site.toLowerCase()))];
  const config = JSON.stringify({ allowedSites: sites, allowNoContext, openPosters });
  const template = readFileSync(new URL('viewer-request.js', import.meta.url), 'utf8');
  const source = template.replace('__CONFIG__', () => config);
  const bytes = Buffer.byteLength(source);
  if (bytes > MOST_BYTES) {
    throw new Error(
      `The edge function would have ${bytes} bytes, and CloudFront takes ${MOST_BYTES}. Name fewer sites than these ${sites.length}.`,
    );
  }
  return source;
}

/** `https://host`, with a port where it is not the usual one: what a browser sends as Origin. */
export function isOrigin(site: string): boolean {
  return (
    /^https?:\/\/([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?$/i.test(site) &&
    URL.parse(site)?.origin === site.toLowerCase()
  );
}
