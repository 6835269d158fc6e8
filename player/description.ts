/** The description in a multivariant playlist, beside the addresses of its streams. */
export interface Description {
  readonly title: string;
  /** Empty where the playlist names none. */
  readonly poster: string;
  /** Empty where the playlist names none. */
  readonly storyboard: string;
  /** No variant has a picture. */
  readonly soundOnly: boolean;
}

/** Reads the playlist at an address. Undefined where it cannot be had: why not is found out when it is to play. */
export async function describe(src: string): Promise<Description | undefined> {
  const answer = await fetch(src).catch(() => undefined);
  if (!answer?.ok) return undefined;
  const lines = (await answer.text()).split(/\r?\n/);
  if (lines[0] !== '#EXTM3U') return undefined;
  const values = lines.flatMap((line) => {
    const [, attributes] = /^#EXT-X-SESSION-DATA:(.*)/.exec(line) ?? [];
    const id = attributes && quoted(attributes, 'DATA-ID');
    return id ? [[id, quoted(attributes, 'VALUE') ?? ''] as const] : [];
  });
  const variants = lines.filter((line) => line.startsWith('#EXT-X-STREAM-INF:'));
  // A variant that names no codecs may have a picture all the same.
  const soundOnly =
    variants.length > 0 &&
    variants.every((line) => line.includes('CODECS=') && !line.includes('RESOLUTION='));
  return describeBy(new Map(values), soundOnly, answer.url || src);
}

/** By the values of EXT-X-SESSION-DATA; addresses are relative to the playlist. */
export function describeBy(
  values: ReadonlyMap<string, string>,
  soundOnly: boolean,
  playlist: string,
): Description {
  const address = (id: string) => {
    const value = values.get(id);
    return value ? new URL(value, new URL(playlist, document.baseURI)).href : '';
  };
  return {
    title: values.get('com.apple.hls.title') ?? '',
    poster: address('org.vodstack.poster'),
    storyboard: address('org.vodstack.storyboard'),
    soundOnly,
  };
}

/** The value of an attribute of a tag, which has no quotes inside (RFC 8216, 4.2). */
function quoted(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(attributes)?.[1];
}
