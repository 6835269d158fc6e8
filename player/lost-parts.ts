import Hls from 'hls.js';
import type { ErrorData, Fragment } from 'hls.js';
import { lookAt, whyNot } from './problems.ts';
import type { Notice, Problem } from './problems.ts';

/** Tries of one segment, about a second apart in all. Another rendition of it is tried once or twice. */
const MOST_RETRIES = 2;
const RETRY_MILLISECONDS = 300;
/** How often it is tried to reach the video again. */
const LOOK_MILLISECONDS = 2000;
/** How long it is said that a part is missing. */
const NOTICE_MILLISECONDS = 8000;
/** A video of which so much is missing at a stretch is not there. */
const MOST_LOST_SECONDS = 120;
/** A picture stops a little before the end of what is there, and may begin a little after it. */
const NEAR_SECONDS = 0.5;
const BEHIND_SECONDS = 0.05;

export interface Watch {
  /** The address of the multivariant playlist. */
  readonly src: string;
  /** Something to say while it plays on; undefined when it is over. */
  readonly onNotice: (notice: Notice | undefined) => void;
  readonly onProblem: (problem: Problem) => void;
}

/**
 * What happens where something cannot be fetched in the middle of a video: one segment that is lost is
 * skipped, once no rendition has it; without a connection it waits for one; and only a video that is not
 * there any more is given up.
 */
export class LostParts {
  readonly #hls: Hls;
  readonly #video: HTMLVideoElement;
  readonly #watch: Watch;
  readonly #stopped = new AbortController();
  /** Segments that have failed since one of their kind was played. */
  #failed: readonly Fragment[] = [];
  /** Seconds of the video that nobody has, in their order. */
  #gaps: readonly { readonly start: number; readonly end: number }[] = [];
  /** Of each kind, how much was lost since a segment of it was played. */
  readonly #lostSeconds = new Map<string, number>();
  #hasPlayed = false;
  #notice: Notice | undefined;

  constructor(hls: Hls, video: HTMLVideoElement, watch: Watch) {
    this.#hls = hls;
    this.#video = video;
    this.#watch = watch;
    const { fragLoadPolicy } = hls.config;
    hls.config.fragLoadPolicy = {
      default: {
        ...fragLoadPolicy.default,
        timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
        errorRetry: {
          maxNumRetry: MOST_RETRIES,
          retryDelayMs: RETRY_MILLISECONDS,
          maxRetryDelayMs: RETRY_MILLISECONDS * 2,
          // Also after a 4xx, which may be an edge's mistake; not where the segment before it was lost.
          shouldRetry: (_policy, tries, _isTimeout, response) =>
            response !== undefined &&
            tries < MOST_RETRIES &&
            this.#failed.length < 2 &&
            this.#lostSeconds.size === 0,
        },
      },
    };
    hls.on(Hls.Events.FRAG_BUFFERED, (_event, { frag }) => {
      this.#failed = this.#failed.filter(({ type }) => type !== frag.type);
      this.#lostSeconds.delete(frag.type);
      this.#hasPlayed = true;
      if (this.#notice === 'waiting') this.#say(undefined);
    });
    const { signal } = this.#stopped;
    for (const type of ['waiting', 'seeking', 'loadedmetadata']) {
      video.addEventListener(type, this.#skip, { signal });
    }
    // What was asked for at another place says nothing of this one.
    video.addEventListener('seeking', () => (this.#failed = []), { signal });
  }

  stop(): void {
    this.#stopped.abort();
    this.#say(undefined);
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** Takes note of what could not be fetched, and finds a way on where hls.js has stopped. */
  handle({ fatal, frag, details, response }: ErrorData): void {
    const { FRAG_LOAD_ERROR, FRAG_LOAD_TIMEOUT } = Hls.ErrorDetails;
    const isSegment = details === FRAG_LOAD_ERROR || details === FRAG_LOAD_TIMEOUT;
    if (isSegment && frag && !this.#failed.includes(frag)) this.#failed = [...this.#failed, frag];
    const status = response?.code ?? 0;
    // hls.js waits by itself while the browser knows that it is offline.
    if (!fatal && status === 0 && !navigator.onLine) this.#say('waiting');
    if (fatal) void this.#goOn(status);
  }

  /** After hls.js has stopped, by an answer of that status. */
  async #goOn(status: number): Promise<void> {
    const { src, onProblem } = this.#watch;
    const found = await lookAt(src);
    if (this.#isStopped()) return;
    if (found === 'unreachable') return this.#waitForConnection();
    if (found !== 'there') return onProblem(found);
    if (this.#failed.length > 0 && this.#leaveOut(this.#failed)) {
      this.#failed = [];
      this.#loadAgain();
    } else {
      const why = await whyNot(src, status);
      if (!this.#isStopped()) onProblem(why);
    }
  }

  #loadAgain(): void {
    const { HAVE_NOTHING, HAVE_FUTURE_DATA } = HTMLMediaElement;
    const { readyState } = this.#video;
    if (readyState === HAVE_NOTHING) {
      // There is nothing to seek in yet. From the beginning, as sound that hls.js holds back until there is a
      // picture would stop it (https://github.com/video-dev/hls.js, audio-stream-controller's waitingData).
      const { config } = this.#hls;
      const wanted = Math.max(0, config.startPosition);
      const end = this.#endOf(wanted);
      if (end > wanted) {
        config.startPosition = end + BEHIND_SECONDS;
        this.#sayForAWhile('incomplete');
      }
      this.#hls.loadSource(this.#watch.src);
    } else {
      this.#hls.startLoad();
      if (readyState < HAVE_FUTURE_DATA) this.#skip();
    }
  }

  async #waitForConnection(): Promise<void> {
    this.#failed = [];
    this.#say('waiting');
    let found: 'there' | Problem = 'unreachable';
    while (found === 'unreachable') {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
      if (this.#isStopped()) return;
      found = await lookAt(this.#watch.src);
    }
    if (this.#isStopped()) return;
    if (found === 'there') this.#loadAgain();
    else this.#watch.onProblem(found);
  }

  /** Has hls.js go on as if the playlist had called these segments gaps. False where nothing is left then. */
  #leaveOut(segments: readonly Fragment[]): boolean {
    for (const segment of segments) {
      segment.gap = true;
      segment.tagList.push(['GAP']);
    }
    const lost = segments.filter((one) => kindOf(one) !== 'subtitle');
    const [first] = lost;
    if (!first) return true;
    const start = Math.min(...lost.map((one) => one.start));
    const end = Math.max(...lost.map((one) => one.end));
    this.#gaps = [...this.#gaps, { start, end }].toSorted((a, b) => a.start - b.start);
    const lostSeconds = (this.#lostSeconds.get(first.type) ?? 0) + end - start;
    this.#lostSeconds.set(first.type, lostSeconds);
    const whole = this.#hls.latestLevelDetails?.totalduration ?? Infinity;
    const isAll = !this.#hasPlayed && this.#endOf(0) >= whole - NEAR_SECONDS;
    return !isAll && lostSeconds < MOST_LOST_SECONDS;
  }

  /** Jumps over what is missing, once playback has come to it. */
  readonly #skip = (): void => {
    const { currentTime, duration } = this.#video;
    const end = this.#endOf(currentTime);
    if (end === currentTime) return;
    this.#sayForAWhile('incomplete');
    if (end < duration - NEAR_SECONDS) this.#video.currentTime = end + BEHIND_SECONDS;
    else this.#hls.trigger(Hls.Events.BUFFER_EOS, { type: null });
  };

  /** Seconds: where the gap ends that is here, or here where there is none. */
  #endOf(seconds: number): number {
    return this.#gaps.reduce(
      (at, { start, end }) => (start - NEAR_SECONDS <= at && at < end ? end : at),
      seconds,
    );
  }

  #sayForAWhile(notice: Notice): void {
    this.#say(notice);
    setTimeout(() => {
      if (this.#notice === notice) this.#say(undefined);
    }, NOTICE_MILLISECONDS);
  }

  #say(notice: Notice | undefined): void {
    if (notice === this.#notice) return;
    this.#notice = notice;
    this.#watch.onNotice(notice);
  }
}

function kindOf({ type }: Fragment): string {
  return type;
}
