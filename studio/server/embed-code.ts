/**
 * The two lines of HTML that a site owner pastes: the player's script, and the element with its playlist. Title and
 * poster are not in them. The player reads both from the playlist, so they can change while the code stays.
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

/** Only for a picture that would have borders in the player's default of 16/9. */
function aspectRatio(
  picture: { readonly width: number; readonly height: number } | undefined,
): readonly string[] {
  if (!picture) return [];
  const { width, height } = picture;
  return Math.abs(width / height - 16 / 9) < 0.02 ? [] : [`aspect-ratio="${width}/${height}"`];
}
