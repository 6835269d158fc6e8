/** The two lines that a site owner pastes: where the player is, and what it plays. */
export function embedCode(
  origin: string,
  asset: {
    readonly title: string;
    readonly playlist: string;
    readonly poster?: string | undefined;
    /** The largest first. */
    readonly renditions: readonly { readonly width: number; readonly height: number }[];
  },
): string {
  const attributes = [
    `src="${origin}/${asset.playlist}"`,
    ...(asset.poster === undefined ? [] : [`poster="${origin}/${asset.poster}"`]),
    `title="${escapeAttribute(asset.title)}"`,
    ...aspectRatio(asset.renditions[0]),
  ];
  return [
    `<script type="module" src="${origin}/player/vod-player.js"></script>`,
    `<vod-player ${attributes.join(' ')}></vod-player>`,
  ].join('\n');
}

/** Where the player's own, 16/9, would leave borders. */
function aspectRatio(
  picture: { readonly width: number; readonly height: number } | undefined,
): readonly string[] {
  if (!picture) return [];
  const { width, height } = picture;
  return Math.abs(width / height - 16 / 9) < 0.02 ? [] : [`aspect-ratio="${width}/${height}"`];
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
