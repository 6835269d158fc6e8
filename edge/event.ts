/** The event of a viewer request, as a CloudFront Function receives it. */
export interface EdgeEvent {
  readonly version: '1.0';
  readonly context: {
    readonly distributionDomainName: string;
    readonly distributionId: string;
    readonly eventType: 'viewer-request';
    readonly requestId: string;
  };
  readonly viewer: { readonly ip: string };
  readonly request: EdgeRequest;
}

export interface EdgeRequest {
  readonly method: string;
  /** Without the query, and not decoded. */
  readonly uri: string;
  readonly querystring: EdgeValues;
  /** Names are in lower case. */
  readonly headers: EdgeValues;
  readonly cookies: EdgeValues;
}

/** A name that was sent more than once has all its values in `multiValue`. */
export type EdgeValues = Readonly<
  Record<
    string,
    { readonly value: string; readonly multiValue?: readonly { readonly value: string }[] }
  >
>;

/**
 * Builds the event of a request. `rawHeaders` alternates names and values, as Node's does.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-event-structure.html
 */
export function viewerRequestEvent(request: {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly requestId: string;
}): EdgeEvent {
  const { method, url, rawHeaders, requestId } = request;
  const [uri, query] = cut(url, '?');
  const headers = pairs(rawHeaders);
  const cookies = headers
    .filter(([name]) => name === 'cookie')
    .flatMap(([, value]) => value.split(/; */));
  return {
    version: '1.0',
    context: {
      distributionDomainName: 'd111111abcdef8.cloudfront.net',
      distributionId: 'LOCAL',
      eventType: 'viewer-request',
      requestId,
    },
    viewer: { ip: '127.0.0.1' },
    request: {
      method,
      uri,
      querystring: collect(split(query.split('&'))),
      headers: collect(headers.filter(([name]) => name !== 'cookie')),
      cookies: collect(split(cookies)),
    },
  };
}

type Pair = readonly [name: string, value: string];

function pairs(rawHeaders: readonly string[]): readonly Pair[] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => [name.toLowerCase(), rawHeaders[index * 2 + 1] ?? '']);
}

function split(texts: readonly string[]): readonly Pair[] {
  return texts.filter((text) => text !== '').map((text) => cut(text, '='));
}

function cut(text: string, mark: string): Pair {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function collect(all: readonly Pair[]): EdgeValues {
  const groups = Map.groupBy(all, ([name]) => name);
  return Object.fromEntries(
    [...groups].map(([name, group]) => {
      const multiValue = group.map(([, value]) => ({ value }));
      const value = multiValue[0]?.value ?? '';
      return [name, multiValue.length > 1 ? { value, multiValue } : { value }];
    }),
  );
}

/** Builds the event of a request with these headers. A name may occur twice. */
export function requestWith(
  headers: readonly (readonly [name: string, value: string])[],
  { method = 'GET', url = '/v/0123456789abcdef0123/index.m3u8' } = {},
): EdgeEvent {
  const rawHeaders = [['Host', 'cdn.example'], ...headers].flat();
  return viewerRequestEvent({ method, url, rawHeaders, requestId: 'one' });
}
