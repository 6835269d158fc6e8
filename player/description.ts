/** What a multivariant playlist says about its video, apart from the addresses of its streams. */
export interface Description {
  readonly title: string;
  /** Empty if the playlist names no poster. */
  readonly poster: string;
  /** Empty if the playlist names no storyboard. */
  readonly storyboard: string;
  /** No variant has video. */
  readonly soundOnly: boolean;
}

/**
 * Fetches a playlist and reads its description. Undefined if that fails: the engine finds out why when playback
 * starts.
 */
export async function fetchDescription(src: string): Promise<Description | undefined> {
  const response = await fetch(src).catch(() => undefined);
  if (!response?.ok) return undefined;
  const lines = (await response.text()).split(/\r?\n/);
  if (lines[0] !== '#EXTM3U') return undefined;
  const sessionData = lines.flatMap((line) => {
    const [, attributes] = /^#EXT-X-SESSION-DATA:(.*)/.exec(line) ?? [];
    const id = attributes && quotedAttribute(attributes, 'DATA-ID');
    return id ? [[id, quotedAttribute(attributes, 'VALUE') ?? ''] as const] : [];
  });
  const variants = lines.filter((line) => line.startsWith('#EXT-X-STREAM-INF:'));
  // A variant without CODECS may still have video.
  const soundOnly =
    variants.length > 0 &&
    variants.every((line) => line.includes('CODECS=') && !line.includes('RESOLUTION='));
  return toDescription(new Map(sessionData), soundOnly, response.url || src);
}

/** Takes the values of EXT-X-SESSION-DATA by their DATA-ID. Addresses in them are relative to the playlist. */
export function toDescription(
  sessionData: ReadonlyMap<string, string>,
  soundOnly: boolean,
  playlist: string,
): Description {
  const resolve = (id: string) => {
    const value = sessionData.get(id);
    return value ? new URL(value, new URL(playlist, document.baseURI)).href : '';
  };
  return {
    title: sessionData.get('com.apple.hls.title') ?? '',
    poster: resolve('org.vodstack.poster'),
    storyboard: resolve('org.vodstack.storyboard'),
    soundOnly,
  };
}

/** The value of a quoted attribute of a tag. Quoted strings contain no quotes (RFC 8216, 4.2). */
function quotedAttribute(attributes: string, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(attributes)?.[1];
}
