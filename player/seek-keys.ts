/**
 * Keys that seek: J, L and the arrows by ten seconds, digits to tenths of the video, Home and End to its ends.
 * media-chrome counts from the position of the last media event, so it turns two quick presses into one step. On its
 * seek bar, the browser's own step would be a hundredth of the video.
 */

const STEP_SECONDS = 10;
const STEPS: Readonly<Record<string, number>> = {
  j: -STEP_SECONDS,
  l: STEP_SECONDS,
  ArrowLeft: -STEP_SECONDS,
  ArrowRight: STEP_SECONDS,
};
/** Elsewhere, the vertical arrows change the volume. */
const SEEK_BAR_STEPS: Readonly<Record<string, number>> = {
  ...STEPS,
  ArrowDown: -STEP_SECONDS,
  ArrowUp: STEP_SECONDS,
};

/** Handles keys pressed within the player's shadow root. Keys pressed in a menu are left to the menu. */
export function handleSeekKeys(root: ShadowRoot, video: HTMLVideoElement): void {
  // media-chrome acts on keyup.
  for (const type of ['keydown', 'keyup']) {
    root.addEventListener(
      type,
      (event) => {
        if (!(event instanceof KeyboardEvent)) return;
        const target = seekTarget(event, video);
        if (target === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        if (type === 'keydown') video.currentTime = Math.min(Math.max(target, 0), video.duration);
      },
      { capture: true },
    );
  }
}

/** Seconds, possibly out of range. Undefined if the key does not seek where it was pressed. */
function seekTarget(event: KeyboardEvent, { currentTime, duration }: HTMLVideoElement) {
  const { key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !(duration > 0)) return undefined;
  const isIn = (name: string) =>
    event.composedPath().some((one) => one instanceof Element && one.localName === name);
  if (isIn('vod-media-settings-menu')) return undefined;
  // The volume slider uses the arrows, Home and End itself.
  if (isIn('vod-media-volume-range') && key.length > 1) return undefined;
  const step = (isIn('vod-media-time-range') ? SEEK_BAR_STEPS : STEPS)[key];
  if (step !== undefined) return currentTime + step;
  if (key === 'Home') return 0;
  if (key === 'End') return duration;
  return /^\d$/.test(key) ? (Number(key) / 10) * duration : undefined;
}
