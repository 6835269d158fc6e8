/**
 * Keys that seek: J, L and the arrows by ten seconds, digits to tenths of the video, Home and End to its
 * ends. media-chrome counts from where the video was at its last event, and so makes one step of two quick
 * presses; on its seek bar the browser's own step would be a hundredth of the video.
 */

const STEP_SECONDS = 10;
const STEPS: Readonly<Record<string, number>> = {
  j: -STEP_SECONDS,
  l: STEP_SECONDS,
  ArrowLeft: -STEP_SECONDS,
  ArrowRight: STEP_SECONDS,
};
/** Elsewhere they change the volume. */
const STEPS_ON_SEEK_BAR: Readonly<Record<string, number>> = {
  ...STEPS,
  ArrowDown: -STEP_SECONDS,
  ArrowUp: STEP_SECONDS,
};

/** Obeys the keys pressed within a shadow root of the player. Menus keep all keys that are pressed in them. */
export function obeyKeys(root: ShadowRoot, video: HTMLVideoElement): void {
  // media-chrome acts when a key is let go.
  for (const type of ['keydown', 'keyup']) {
    root.addEventListener(
      type,
      (event) => {
        if (!(event instanceof KeyboardEvent)) return;
        const to = placeOf(event, video);
        if (to === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        if (type === 'keydown') video.currentTime = Math.min(Math.max(to, 0), video.duration);
      },
      { capture: true },
    );
  }
}

/** Seconds; undefined for a key that does not seek where it was pressed. */
function placeOf(event: KeyboardEvent, { currentTime, duration }: HTMLVideoElement) {
  const { key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !(duration > 0)) return undefined;
  const isIn = (name: string) =>
    event.composedPath().some((one) => one instanceof Element && one.localName === name);
  if (isIn('vod-media-settings-menu')) return undefined;
  // The volume's slider has arrows, Home and End for itself.
  if (isIn('vod-media-volume-range') && key.length > 1) return undefined;
  const step = (isIn('vod-media-time-range') ? STEPS_ON_SEEK_BAR : STEPS)[key];
  if (step !== undefined) return currentTime + step;
  if (key === 'Home') return 0;
  if (key === 'End') return duration;
  return /^\d$/.test(key) ? (Number(key) / 10) * duration : undefined;
}
