/** What can be wrong, each with a sentence that tells a viewer what to do. */
export const SENTENCES = {
  blocked: 'This site may not show the video. Open it on the site that it belongs to.',
  expired: 'The address of this video has expired. Reload the page to get a new one.',
  missing: 'This video is not here any more.',
  unreachable: 'The video cannot be reached. Check the connection, then press play again.',
  broken: 'The video cannot be played here. Press play to try again, or try another browser.',
  unsupported: 'This browser cannot play the video. Try a newer one.',
  untrusted: 'This page does not let the player start: its Trusted Types have to allow vod-player.',
  unnamed: 'This player has no video: its src is missing, or is no address.',
} as const;

export type Problem = keyof typeof SENTENCES;

/** What the viewer is told while the video goes on. */
export const NOTICES = {
  incomplete: 'A part of this video is missing. It goes on after that part.',
  waiting: 'The connection is lost. The video goes on when it is back.',
} as const;

export type Notice = keyof typeof NOTICES;

/**
 * Why an address gave no playlist or segment, by the status of the answer. To a page that may not
 * read the answer the browser says none, as if the network were gone: so 0 is asked about again, in
 * a way that only tells whether anybody answers.
 */
export async function whyNot(address: string, status: number): Promise<Problem> {
  if (status === 410) return 'expired';
  // Where nobody may list, a missing object is 403: the CDN's bucket says so, too.
  if (status >= 400 && status < 500) return 'missing';
  // There is an answer, but it is no playlist.
  if (status >= 200 && status < 300) return 'broken';
  if (status !== 0) return 'unreachable';
  const answered = fetch(address, { method: 'HEAD', mode: 'no-cors', cache: 'no-store' });
  return answered.then(
    () => 'blocked',
    () => 'unreachable',
  );
}

/** Time for a playlist of a few kB. */
const LOOK_MILLISECONDS = 10_000;

/** Whether a video is still there, by its playlist: asked for anew, past every cache of the browser. */
export async function lookAt(address: string): Promise<'there' | Problem> {
  const signal = AbortSignal.timeout(LOOK_MILLISECONDS);
  try {
    const answer = await fetch(address, { cache: 'no-store', signal });
    if (!answer.ok) return await whyNot(address, answer.status);
    // Anything else is of whoever answers in the server's name until somebody signs in to the network.
    return (await answer.text()).startsWith('#EXTM3U') ? 'there' : 'unreachable';
  } catch {
    return 'unreachable';
  }
}
