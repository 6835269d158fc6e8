/** Why playback stopped or cannot start, each with a sentence that tells the viewer what to do. */
export const PROBLEMS = {
  blocked: 'This site may not show the video. Open it on the site that it belongs to.',
  expired: 'The address of this video has expired. Reload the page to get a new one.',
  missing: 'This video is no longer available.',
  unreachable: 'The video cannot be reached. Check the connection, then press play again.',
  broken: 'The video cannot be played here. Press play to try again, or try another browser.',
  unsupported: 'This browser cannot play the video. Try a newer one.',
  untrusted: 'This page does not let the player start: its Trusted Types have to allow vod-player.',
  unnamed: 'This player has no video: its src is missing or is not a valid address.',
} as const;

export type Problem = keyof typeof PROBLEMS;

/** What the viewer is told while playback continues. */
export const NOTICES = {
  incomplete: 'Part of this video is missing. Playback continues after that part.',
  waiting: 'The connection was lost. Playback continues when it is back.',
} as const;

export type Notice = keyof typeof NOTICES;

/**
 * Finds out why an address gave no playlist or segment, by the status of the response. If the page may not read a
 * response, the browser reports status 0, as if the network were down. A no-cors request then tells the two apart,
 * as it succeeds if there is any response.
 */
export async function diagnose(address: string, status: number): Promise<Problem> {
  if (status === 410) return 'expired';
  // S3 answers 403 for a missing object if the caller may not list the bucket, and so does the CDN.
  if (status >= 400 && status < 500) return 'missing';
  // The response is not a playlist.
  if (status >= 200 && status < 300) return 'broken';
  if (status !== 0) return 'unreachable';
  const probe = fetch(address, { method: 'HEAD', mode: 'no-cors', cache: 'no-store' });
  return probe.then(
    () => 'blocked',
    () => 'unreachable',
  );
}

/** Enough for a playlist of a few kB. */
const CHECK_TIMEOUT_MILLISECONDS = 10_000;

/** Checks by its playlist whether a video is still available, past every cache of the browser. */
export async function checkPlaylist(address: string): Promise<'available' | Problem> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MILLISECONDS);
  try {
    const response = await fetch(address, { cache: 'no-store', signal });
    if (!response.ok) return await diagnose(address, response.status);
    // Any other content comes from a captive portal, which answers in the server's name until the viewer signs in.
    return (await response.text()).startsWith('#EXTM3U') ? 'available' : 'unreachable';
  } catch {
    return 'unreachable';
  }
}
