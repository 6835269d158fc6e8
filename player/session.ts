/** What a device's lock screen, keyboard and headphones show and control. */
export interface Session {
  /** Takes over, as the player that was started last. */
  take(title: string): void;
  /** Leaves, if no other player has taken over. */
  leave(): void;
}

const SKIP_SECONDS = 10;
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
    take: (title) => {
      if (!('mediaSession' in navigator)) return;
      owner = video;
      // No artwork: browsers fetch its address without CORS and Referer, which the CDN refuses, and a
      // picture in a data: address needs more of a page's policy.
      navigator.mediaSession.metadata = new MediaMetadata({ title });
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

/** Browsers throw a TypeError at an action that they do not know. */
function handle(action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
  try {
    navigator.mediaSession.setActionHandler(action, handler);
  } catch {
    // Then the device has no such button.
  }
}
