/** The headers by which a client asks for one version of a resource, or for nothing that it has already (RFC 9110, 13.1). */
export interface Conditions {
  readonly 'if-match'?: string | undefined;
  readonly 'if-unmodified-since'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-modified-since'?: string | undefined;
  /** Node's types allow several of a header that they do not know. */
  readonly 'if-range'?: string | string[] | undefined;
}

/** The validators of a resource's current version: `ETag` and, where it has one, `Last-Modified`. */
export interface Validators {
  readonly etag: string;
  readonly lastModified?: Date;
}

/** Whether the answer is a 412: the client wants a version that this one is not (13.1.1, 13.1.4). */
export function isOtherVersion(
  conditions: Conditions,
  { etag, lastModified }: Validators,
): boolean {
  const { 'if-match': tags, 'if-unmodified-since': since = '' } = conditions;
  if (tags !== undefined) return !['*', etag].some((tag) => listOf(tags).includes(tag));
  return lastModified !== undefined && seconds(lastModified) > readHttpDate(since);
}

/** Whether the answer is a 304. An If-Modified-Since that is no HTTP date is ignored, a date still to come is not (13.1.3). */
export function isNotModified(conditions: Conditions, { etag, lastModified }: Validators): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since = '' } = conditions;
  // The tags are more exact, so the date does not count beside them.
  if (tags !== undefined) return isKnown(etag, tags);
  return lastModified !== undefined && seconds(lastModified) <= readHttpDate(since);
}

/** Whether a Range header counts: the client's first part must be of this very version (13.1.5). */
export function isRangeOfThis(conditions: Conditions, { etag, lastModified }: Validators): boolean {
  const condition = conditions['if-range']?.toString();
  if (condition === undefined || condition === etag) return true;
  return lastModified !== undefined && readHttpDate(condition) === seconds(lastModified);
}

/** Compares weakly: the client's copy may be a compressed one (13.1.2). */
function isKnown(etag: string, tags: string): boolean {
  const known = listOf(tags).map((one) => one.replace(/^W\//, ''));
  return known.includes(etag.replace(/^W\//, '')) || known.includes('*');
}

function listOf(tags: string): readonly string[] {
  return tags.split(',').map((one) => one.trim());
}

/** HTTP dates have whole seconds. */
function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** The three forms that a recipient must accept (RFC 9110, 5.6.7). */
const HTTP_DATES = [
  /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^\w{6,9}, \d{2}-\w{3}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^\w{3} \w{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/** Seconds since 1970; NaN for what is no HTTP date. */
function readHttpDate(text: string): number {
  if (!HTTP_DATES.some((form) => form.test(text))) return NaN;
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`) / 1000;
}
