/** Players of Apple and Google know the id of the title. There are no common ids for the poster and the storyboard. */
export const SESSION_DATA = {
  title: 'com.apple.hls.title',
  poster: 'org.vodstack.poster',
  storyboard: 'org.vodstack.storyboard',
} as const;

/** Replaces the title in a multivariant playlist. */
export function withTitle(playlist: string, title: string): string {
  const before = sessionDataTag(SESSION_DATA.title, '').replace(/"$/, '');
  const lines = playlist.split('\n');
  return lines
    .map((line) => (line.startsWith(before) ? sessionDataTag(SESSION_DATA.title, title) : line))
    .join('\n');
}

/** One `EXT-X-SESSION-DATA` tag. */
export function sessionDataTag(id: string, value: string): string {
  // Quoted strings have no escapes (RFC 8216, 4.2).
  return `#EXT-X-SESSION-DATA:DATA-ID="${id}",VALUE="${value.replaceAll('"', '”')}"`;
}
