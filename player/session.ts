/** What a device's lock screen, keyboard and headphones show and control. */
export interface Session {
  /** Takes over, as the player that was started last. */
  take(title: string, poster: HTMLImageElement | null): void;
  /** Leaves, if no other player has taken over. */
  leave(): void;
}

const SKIP_SECONDS = 10;
/** Pixels; what lock screens show. */
const ARTWORK_WIDTH = 512;
let owner: HTMLVideoElement | undefined;

/** Play and pause are the browser's own. */
export function sessionOf(video: HTMLVideoElement): Session {
  const by =
    (seconds: number) =>
    ({ seekOffset }: MediaSessionActionDetails) => {
      video.currentTime += Math.sign(seconds) * (seekOffset ?? SKIP_SECONDS);
    };
  const actions: readonly (readonly [MediaSessionAction, MediaSessionActionHandler])[] = [
    ['seekbackward', by(-1)],
    ['seekforward', by(1)],
    ['seekto', ({ seekTime }) => (video.currentTime = seekTime ?? video.currentTime)],
  ];
  return {
    take: (title, poster) => {
      if (!('mediaSession' in navigator)) return;
      owner = video;
      const artwork = poster?.complete && poster.naturalWidth > 0 ? [artworkOf(poster)] : [];
      navigator.mediaSession.metadata = new MediaMetadata({ title, artwork });
      for (const [action, handler] of actions) handle(action, handler);
    },
    leave: () => {
      if (owner !== video) return;
      owner = undefined;
      navigator.mediaSession.metadata = null;
      for (const [action] of actions) handle(action, null);
    },
  };
}

/**
 * The picture itself, scaled down: a browser would fetch its address once more, without CORS and Referer,
 * and the CDN would refuse that.
 */
function artworkOf(image: HTMLImageElement): MediaImage {
  const { naturalWidth, naturalHeight } = image;
  const scale = Math.min(1, ARTWORK_WIDTH / naturalWidth);
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(naturalWidth * scale);
  canvas.height = Math.round(naturalHeight * scale);
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  try {
    const src = canvas.toDataURL('image/jpeg');
    return { src, type: 'image/jpeg', sizes: `${canvas.width}x${canvas.height}` };
  } catch {
    // Another site's picture without CORS, which no script may read.
    return { src: image.src };
  }
}

/** Browsers throw a TypeError at an action that they do not know. */
function handle(action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
  try {
    navigator.mediaSession.setActionHandler(action, handler);
  } catch {
    // Then the device has no such button.
  }
}
