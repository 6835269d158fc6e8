import { readFileSync } from 'node:fs';
import { CORS } from './behaviours.ts';
import { siteOf } from './sites.ts';

/** Whom the edge lets fetch. */
export interface EdgeRule {
  /** Origins, `https://site.example` or `https://*.site.example`, of the pages that may show the videos. */
  readonly allowedSites: readonly string[];
  /** Lets in who says nothing of where a request comes from: apps and scripts. */
  readonly allowNoContext: boolean;
  /** Lets anybody fetch posters and thumbnails, so that links to a page have a preview. Default: false. */
  readonly openPosters?: boolean;
  /** Assets are fetched with a token that one of these keys signed, too. Without any there are no tokens. */
  readonly tokenKeys?: readonly string[];
}

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html */
const MOST_BYTES = 10_240;

/** Of a key that Terraform draws: two of its uuid() and a hyphen. */
const KEY_BYTES = 73;

/**
 * The edge function's source with its rule filled in. Throws Error naming every site that is none, or
 * saying that the function became larger than CloudFront takes.
 */
export function viewerRequestSource(rule: EdgeRule): string {
  const { allowedSites, tokenKeys = [] } = rule;
  const wrong = allowedSites.filter((site) => siteOf(site) === undefined);
  if (wrong.length > 0) {
    const names = wrong.map((site) => JSON.stringify(site)).join(', ');
    const are = wrong.length > 1 ? 'These are no origins' : 'This is no origin';
    throw new Error(
      `${are}: ${names}. Write an origin like https://site.example, without a path, or https://*.site.example for its subdomains.`,
    );
  }
  // At a deploy a key is still Terraform's expression for it.
  const longest = tokenKeys.map((key) => key.padEnd(KEY_BYTES));
  const bytes = Buffer.byteLength(fill({ ...rule, tokenKeys: longest }));
  if (bytes > MOST_BYTES) {
    throw new Error(
      `The edge function would have ${bytes} bytes, and CloudFront takes ${MOST_BYTES}. Name fewer sites than these ${allowedSites.length}.`,
    );
  }
  return fill(rule);
}

/** The program of an edge function, without its settings, by its source. */
export function programOf(source: string): string {
  return source.replace(/^var CONFIG = .*$/m, '');
}

function fill(rule: EdgeRule): string {
  const { allowedSites, allowNoContext, openPosters = false, tokenKeys = [] } = rule;
  const config = JSON.stringify({
    allowedSites: [...new Set(allowedSites.flatMap((site) => siteOf(site) ?? []))],
    ...{ allowNoContext, openPosters, tokenKeys },
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
