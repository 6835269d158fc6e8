/**
 * Keys that media-chrome leaves to the browser or to nobody: digits, Home and End anywhere in the
 * player, and arrows on the seek bar, where a step of the browser's would be a hundredth of the video.
 */

const STEP_SECONDS = 10;
const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -STEP_SECONDS,
  ArrowDown: -STEP_SECONDS,
  ArrowRight: STEP_SECONDS,
  ArrowUp: STEP_SECONDS,
};

/** Obeys the keys pressed within a shadow root of the player. Those pressed in its menus are the menus'. */
export function obeyKeys(root: ShadowRoot, video: HTMLVideoElement): void {
  root.addEventListener(
    'keydown',
    (event) => {
      if (!(event instanceof KeyboardEvent) || event.ctrlKey || event.metaKey || event.altKey)
        return;
      const within = event.composedPath().flatMap((one) => (one instanceof Element ? [one] : []));
      const isIn = (name: string) => within.some(({ localName }) => localName === name);
      if (isIn('vod-media-settings-menu')) return;
      const { duration, currentTime } = video;
      if (!(duration > 0)) return;
      const to = isIn('vod-media-time-range')
        ? (stepTo(event.key, currentTime) ?? placeOf(event.key, duration))
        : isIn('vod-media-volume-range') && !/^\d$/.test(event.key)
          ? undefined
          : placeOf(event.key, duration);
      if (to === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      video.currentTime = Math.min(Math.max(to, 0), duration);
    },
    { capture: true },
  );
}

function stepTo(key: string, currentTime: number): number | undefined {
  const step = STEPS[key];
  return step === undefined ? undefined : currentTime + step;
}

function placeOf(key: string, duration: number): number | undefined {
  if (key === 'Home') return 0;
  if (key === 'End') return duration;
  return /^\d$/.test(key) ? (Number(key) / 10) * duration : undefined;
}
