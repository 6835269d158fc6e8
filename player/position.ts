/** Where somebody stopped watching, kept for each video in this browser. A page may have no storage: then nothing is. */

/** Nobody goes on where the credits run. */
const END_SECONDS = 10;
const END_SHARE = 0.1;

/** Seconds; 0 when nothing is known. */
export function readPosition(src: string): number {
  const seconds = Number(withStorage((storage) => storage.getItem(keyOf(src))));
  return Number.isFinite(seconds) ? seconds : 0;
}

export function keepPosition(src: string, seconds: number, duration: number): void {
  const atEnd = duration - seconds < Math.min(END_SECONDS, duration * END_SHARE);
  withStorage((storage) =>
    atEnd ? storage.removeItem(keyOf(src)) : storage.setItem(keyOf(src), seconds.toFixed(1)),
  );
}

/** Without query and token, which are others the next time. */
function keyOf(src: string): string {
  const { origin, pathname } = new URL(src, document.baseURI);
  return `vod-player ${origin}${pathname.replace(/^\/t\/[^/]+/, '')}`;
}

/** Merely to name localStorage throws where a browser or a sandbox blocks it; a full one throws, too. */
function withStorage<Value>(use: (storage: Storage) => Value): Value | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}
