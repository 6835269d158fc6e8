/** The headers of conditional requests: RFC 9110, 13.1. Section numbers in this file refer to it. */
export interface Conditions {
  readonly 'if-match'?: string | undefined;
  readonly 'if-unmodified-since'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-modified-since'?: string | undefined;
  /** Node's types do not know this header, so they allow several values. */
  readonly 'if-range'?: string | string[] | undefined;
}

/** The validators of a resource: `ETag` and, if it has one, `Last-Modified`. */
export interface Validators {
  readonly etag: string;
  readonly lastModified?: Date;
}

/** Whether to answer 412, because the client asks for another version (13.1.1, 13.1.4). */
export function isOtherVersion(
  conditions: Conditions,
  { etag, lastModified }: Validators,
): boolean {
  const { 'if-match': tags, 'if-unmodified-since': since = '' } = conditions;
  if (tags !== undefined) return !['*', etag].some((tag) => listOf(tags).includes(tag));
  return lastModified !== undefined && seconds(lastModified) > readHttpDate(since);
}

/** Whether to answer 304. An If-Modified-Since header without a valid date is ignored; future dates count (13.1.3). */
export function isNotModified(conditions: Conditions, { etag, lastModified }: Validators): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since = '' } = conditions;
  // With If-None-Match, the date is ignored (13.1.3).
  if (tags !== undefined) return isKnown(etag, tags);
  return lastModified !== undefined && seconds(lastModified) <= readHttpDate(since);
}

/** Whether to apply the Range header: the client must have parts of this very version (13.1.5). */
export function isRangeOfThis(conditions: Conditions, { etag, lastModified }: Validators): boolean {
  const condition = conditions['if-range']?.toString();
  if (condition === undefined || condition === etag) return true;
  return lastModified !== undefined && readHttpDate(condition) === seconds(lastModified);
}

/** Uses weak comparison (13.1.2), as the client's copy may be a compressed one. */
function isKnown(etag: string, tags: string): boolean {
  const known = listOf(tags).map((one) => one.replace(/^W\//, ''));
  return known.includes(etag.replace(/^W\//, '')) || known.includes('*');
}

function listOf(tags: string): readonly string[] {
  return tags.split(',').map((one) => one.trim());
}

/** The precision of HTTP dates. */
function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** The three formats that a recipient must accept (5.6.7). */
const HTTP_DATES = [
  /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^\w{6,9}, \d{2}-\w{3}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^\w{3} \w{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/** Seconds since 1970; NaN for an invalid date. */
function readHttpDate(text: string): number {
  if (!HTTP_DATES.some((form) => form.test(text))) return NaN;
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`) / 1000;
}
