/** Apple's and Google's players know the title's name; there is none for the poster and the storyboard. */
export const SESSION_DATA = {
  title: 'com.apple.hls.title',
  poster: 'org.vodstack.poster',
  storyboard: 'org.vodstack.storyboard',
} as const;

/** The same multivariant playlist under another title. */
export function withTitle(playlist: string, title: string): string {
  const before = sessionDataTag(SESSION_DATA.title, '').replace(/"$/, '');
  const lines = playlist.split('\n');
  return lines
    .map((line) => (line.startsWith(before) ? sessionDataTag(SESSION_DATA.title, title) : line))
    .join('\n');
}

/** One line of `EXT-X-SESSION-DATA`. */
export function sessionDataTag(id: string, value: string): string {
  // A quoted string knows no escape (RFC 8216, 4.2).
  return `#EXT-X-SESSION-DATA:DATA-ID="${id}",VALUE="${value.replaceAll('"', '”')}"`;
}
