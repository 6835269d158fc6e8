/** Remembers in this browser where the viewer stopped watching each video, if the page may use localStorage. */

/** A viewer who stops this close to the end starts from the beginning next time. */
const END_SECONDS = 10;
const END_SHARE = 0.1;

/** Seconds; 0 if no position is saved. */
export function readPosition(src: string): number {
  const seconds = Number(withStorage((storage) => storage.getItem(storageKey(src))));
  return Number.isFinite(seconds) ? seconds : 0;
}

export function savePosition(src: string, seconds: number, duration: number): void {
  const atEnd = duration - seconds < Math.min(END_SECONDS, duration * END_SHARE);
  withStorage((storage) =>
    atEnd
      ? storage.removeItem(storageKey(src))
      : storage.setItem(storageKey(src), seconds.toFixed(1)),
  );
}

/** Leaves out the query and the token, which change from visit to visit. */
function storageKey(src: string): string {
  const { origin, pathname } = new URL(src, document.baseURI);
  return `vod-player ${origin}${pathname.replace(/^\/t\/[^/]+/, '')}`;
}

/** Accessing localStorage throws if the browser or a sandbox blocks it; writing throws if it is full. */
function withStorage<Value>(use: (storage: Storage) => Value): Value | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}
