/** What a device's lock screen, keyboard and headphones show and control. */
export interface MediaSessionControl {
  /** Takes over from any other player. */
  activate(title: string): void;
  /** Clears the session, unless another player has taken over. */
  release(): void;
}

const SKIP_SECONDS = 10;
let owner: HTMLVideoElement | undefined;

/** The browser handles play and pause itself. */
export function createMediaSession(video: HTMLVideoElement): MediaSessionControl {
  const skip =
    (direction: 1 | -1) =>
    ({ seekOffset }: MediaSessionActionDetails) => {
      video.currentTime += direction * (seekOffset ?? SKIP_SECONDS);
    };
  const actions: readonly (readonly [MediaSessionAction, MediaSessionActionHandler])[] = [
    ['seekbackward', skip(-1)],
    ['seekforward', skip(1)],
    ['seekto', ({ seekTime }) => (video.currentTime = seekTime ?? video.currentTime)],
  ];
  return {
    activate: (title) => {
      if (!('mediaSession' in navigator)) return;
      owner = video;
      // Without artwork: browsers fetch it without CORS and Referer, which the CDN refuses, and a picture in a data:
      // address would need a looser policy of the page.
      navigator.mediaSession.metadata = new MediaMetadata({ title });
      for (const [action, handler] of actions) setHandler(action, handler);
    },
    release: () => {
      if (owner !== video) return;
      owner = undefined;
      navigator.mediaSession.metadata = null;
      for (const [action] of actions) setHandler(action, null);
    },
  };
}

/** Browsers throw a TypeError for an action that they do not support. */
function setHandler(action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
  try {
    navigator.mediaSession.setActionHandler(action, handler);
  } catch {
    // The device then lacks this control.
  }
}
