/**
 * The two lines that a site owner pastes: where the player is, and what it plays. The playlist tells the player
 * title and poster, which may change while the code stays.
 */
export function embedCode(
  origin: string,
  asset: {
    readonly playlist: string;
    /** The largest first. */
    readonly renditions: readonly { readonly width: number; readonly height: number }[];
  },
): string {
  const attributes = [`src="${origin}/${asset.playlist}"`, ...aspectRatio(asset.renditions[0])];
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
