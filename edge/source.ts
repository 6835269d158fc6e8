import { readFileSync } from 'node:fs';
import { CORS } from './behaviours.ts';
import { siteOf } from './sites.ts';

/** Which requests the edge function allows. */
export interface EdgeRule {
  /** Origins of the pages that may show the videos: `https://site.example` or `https://*.site.example`. */
  readonly allowedSites: readonly string[];
  /** Allows requests without Origin, Referer and Sec-Fetch-Site, as apps and scripts send them. */
  readonly allowNoContext: boolean;
  /** Lets anybody fetch posters and thumbnails, for previews of links to a page. Default: false. */
  readonly openPosters?: boolean;
  /** If there are any, assets also need a token that one of these keys signed. */
  readonly tokenKeys?: readonly string[];
}

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html */
const MAX_BYTES = 10_240;

/** The size of a key that Terraform draws: two uuid() and a hyphen. */
const KEY_BYTES = 73;

/**
 * The edge function's source with its configuration filled in. Comments are part of the deployed text. Throws Error
 * naming every invalid site, or saying that the source is larger than CloudFront accepts.
 */
export function viewerRequestSource(rule: EdgeRule): string {
  const { allowedSites, tokenKeys = [] } = rule;
  const wrong = allowedSites.filter((site) => siteOf(site) === undefined);
  if (wrong.length > 0) {
    const names = wrong.map((site) => JSON.stringify(site)).join(', ');
    const subject = wrong.length > 1 ? 'These are not origins' : 'This is not an origin';
    throw new Error(
      `${subject}: ${names}. Write an origin like https://site.example, without a path, or https://*.site.example for its subdomains.`,
    );
  }
  // At synthesis a key is still a short Terraform expression, which is replaced at the deploy.
  const longest = tokenKeys.map((key) => key.padEnd(KEY_BYTES));
  const bytes = Buffer.byteLength(fill({ ...rule, tokenKeys: longest }));
  if (bytes > MAX_BYTES) {
    throw new Error(
      `The edge function would have ${bytes} bytes, and CloudFront takes ${MAX_BYTES}. Name fewer sites than these ${allowedSites.length}.`,
    );
  }
  return fill(rule);
}

/** A source without its configuration, to compare two versions of the program. */
export function programOf(source: string): string {
  return source.replace(/^var CONFIG = .*$/m, '');
}

function fill(rule: EdgeRule): string {
  const { allowedSites, allowNoContext, openPosters = false, tokenKeys = [] } = rule;
  const config = JSON.stringify({
    allowedSites: [...new Set(allowedSites.flatMap((site) => siteOf(site) ?? []))],
    allowNoContext,
    openPosters,
    tokenKeys,
    cors: {
      methods: CORS.methods.join(', '),
      requestHeaders: CORS.requestHeaders.join(', '),
      exposedHeaders: CORS.exposedHeaders.join(', '),
      maxAge: String(CORS.maxAgeSeconds),
    },
  });
  const template = readFileSync(new URL('viewer-request.js', import.meta.url), 'utf8');
  return template.replace('__CONFIG__', () => config);
}
