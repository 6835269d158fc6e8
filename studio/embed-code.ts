/** The two lines that a site owner pastes: where the player is, and what it plays. */
export function embedCode(
  origin: string,
  asset: {
    readonly title: string;
    readonly playlist: string;
    readonly poster?: string | undefined;
  },
): string {
  const attributes = [
    `src="${origin}/${asset.playlist}"`,
    ...(asset.poster === undefined ? [] : [`poster="${origin}/${asset.poster}"`]),
    `title="${escapeAttribute(asset.title)}"`,
  ];
  return [
    `<script type="module" src="${origin}/player/vod-player.js"></script>`,
    `<vod-player ${attributes.join(' ')}></vod-player>`,
  ].join('\n');
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
