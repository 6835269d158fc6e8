import Hls from 'hls.js';
import type { ErrorData, Fragment } from 'hls.js';
import { checkPlaylist, diagnose } from './problems.ts';
import type { Notice, Problem } from './problems.ts';

/** Further attempts for one segment, within about a second. Each other rendition is then tried once or twice. */
const MAX_RETRIES = 2;
const RETRY_MILLISECONDS = 300;
/** How often the connection is checked while it is lost. */
const CHECK_MILLISECONDS = 2000;
/** How long a notice about a missing part stays. */
const NOTICE_MILLISECONDS = 8000;
/** A video that lacks this much in a row counts as missing. */
const MAX_MISSING_SECONDS = 120;
/** Playback stalls slightly before the end of the buffer, and the buffer may begin slightly after a gap. */
const BEFORE_GAP_SECONDS = 0.5;
const AFTER_GAP_SECONDS = 0.05;

export interface RecoveryOptions {
  /** The address of the multivariant playlist. */
  readonly src: string;
  /** A notice to show while playback continues, or undefined to hide it. */
  readonly onNotice: (notice: Notice | undefined) => void;
  readonly onProblem: (problem: Problem) => void;
}

/**
 * Recovers from network errors in the middle of a video. It skips a segment that no rendition has, waits while there is
 * no connection, and reports a problem only if the whole video is no longer available.
 */
export class SegmentRecovery {
  readonly #hls: Hls;
  readonly #video: HTMLVideoElement;
  readonly #options: RecoveryOptions;
  readonly #stopped = new AbortController();
  /** Segments that failed since a segment of their type was last buffered. */
  #failed: readonly Fragment[] = [];
  /** Missing parts of the video in seconds, sorted by start. */
  #gaps: readonly { readonly start: number; readonly end: number }[] = [];
  /** Seconds missing since a segment of the type was last buffered, by type. */
  readonly #missingSeconds = new Map<string, number>();
  #hasBuffered = false;
  #notice: Notice | undefined;

  constructor(hls: Hls, video: HTMLVideoElement, options: RecoveryOptions) {
    this.#hls = hls;
    this.#video = video;
    this.#options = options;
    const { fragLoadPolicy } = hls.config;
    hls.config.fragLoadPolicy = {
      default: {
        ...fragLoadPolicy.default,
        timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
        errorRetry: {
          maxNumRetry: MAX_RETRIES,
          retryDelayMs: RETRY_MILLISECONDS,
          maxRetryDelayMs: RETRY_MILLISECONDS * 2,
          // Retries a 4xx as well, as an edge may send one by mistake, but not if the previous segment is missing too.
          shouldRetry: (_policy, tries, _isTimeout, response) =>
            response !== undefined &&
            tries < MAX_RETRIES &&
            this.#failed.length < 2 &&
            this.#missingSeconds.size === 0,
        },
      },
    };
    hls.on(Hls.Events.FRAG_BUFFERED, (_event, { frag }) => {
      this.#failed = this.#failed.filter(({ type }) => type !== frag.type);
      this.#missingSeconds.delete(frag.type);
      this.#hasBuffered = true;
      if (this.#notice === 'waiting') this.#setNotice(undefined);
    });
    const { signal } = this.#stopped;
    for (const type of ['waiting', 'seeking', 'loadedmetadata']) {
      video.addEventListener(type, this.#skipGap, { signal });
    }
    // Failures at the previous position say nothing about the new one.
    video.addEventListener('seeking', () => (this.#failed = []), { signal });
  }

  stop(): void {
    this.#stopped.abort();
    this.#setNotice(undefined);
  }

  #isStopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** Records the failure, and recovers if it made hls.js stop. */
  handleError({ fatal, frag, details, response }: ErrorData): void {
    const { FRAG_LOAD_ERROR, FRAG_LOAD_TIMEOUT } = Hls.ErrorDetails;
    const isSegment = details === FRAG_LOAD_ERROR || details === FRAG_LOAD_TIMEOUT;
    if (isSegment && frag && !this.#failed.includes(frag)) this.#failed = [...this.#failed, frag];
    const status = response?.code ?? 0;
    // hls.js waits by itself while the browser knows that it is offline.
    if (!fatal && status === 0 && !navigator.onLine) this.#setNotice('waiting');
    if (fatal) void this.#recover(status);
  }

  /** Recovers after a response with this status made hls.js stop. */
  async #recover(status: number): Promise<void> {
    const { src, onProblem } = this.#options;
    const found = await checkPlaylist(src);
    if (this.#isStopped()) return;
    if (found === 'unreachable') return this.#waitForConnection();
    if (found !== 'available') return onProblem(found);
    if (this.#failed.length > 0 && this.#markAsGaps(this.#failed)) {
      this.#failed = [];
      this.#resumeLoading();
    } else {
      const problem = await diagnose(src, status);
      if (!this.#isStopped()) onProblem(problem);
    }
  }

  #resumeLoading(): void {
    const { HAVE_NOTHING, HAVE_FUTURE_DATA } = HTMLMediaElement;
    const { readyState } = this.#video;
    if (readyState === HAVE_NOTHING) {
      // Seeking is not possible yet, so loading starts over behind the gap. startLoad() would not do, as hls.js holds
      // audio back until there is video (https://github.com/video-dev/hls.js, audio-stream-controller's waitingData).
      const { config } = this.#hls;
      const start = Math.max(0, config.startPosition);
      const end = this.#endOfGapAt(start);
      if (end > start) {
        config.startPosition = end + AFTER_GAP_SECONDS;
        this.#showIncomplete();
      }
      this.#hls.loadSource(this.#options.src);
    } else {
      this.#hls.startLoad();
      if (readyState < HAVE_FUTURE_DATA) this.#skipGap();
    }
  }

  async #waitForConnection(): Promise<void> {
    this.#failed = [];
    this.#setNotice('waiting');
    let found: 'available' | Problem = 'unreachable';
    while (found === 'unreachable') {
      await new Promise((resolve) => setTimeout(resolve, CHECK_MILLISECONDS));
      if (this.#isStopped()) return;
      found = await checkPlaylist(this.#options.src);
    }
    if (this.#isStopped()) return;
    if (found === 'available') this.#resumeLoading();
    else this.#options.onProblem(found);
  }

  /** Makes hls.js treat these segments as EXT-X-GAP. False if too little of the video remains. */
  #markAsGaps(segments: readonly Fragment[]): boolean {
    for (const segment of segments) {
      segment.gap = true;
      segment.tagList.push(['GAP']);
    }
    const missing = segments.filter((one) => typeOf(one) !== 'subtitle');
    const [first] = missing;
    if (!first) return true;
    const start = Math.min(...missing.map((one) => one.start));
    const end = Math.max(...missing.map((one) => one.end));
    this.#gaps = [...this.#gaps, { start, end }].toSorted((a, b) => a.start - b.start);
    const missingSeconds = (this.#missingSeconds.get(first.type) ?? 0) + end - start;
    this.#missingSeconds.set(first.type, missingSeconds);
    const duration = this.#hls.latestLevelDetails?.totalduration ?? Infinity;
    const isAll = !this.#hasBuffered && this.#endOfGapAt(0) >= duration - BEFORE_GAP_SECONDS;
    return !isAll && missingSeconds < MAX_MISSING_SECONDS;
  }

  readonly #skipGap = (): void => {
    const { currentTime, duration } = this.#video;
    const end = this.#endOfGapAt(currentTime);
    if (end === currentTime) return;
    this.#showIncomplete();
    if (end < duration - BEFORE_GAP_SECONDS) this.#video.currentTime = end + AFTER_GAP_SECONDS;
    else this.#hls.trigger(Hls.Events.BUFFER_EOS, { type: null });
  };

  /** The end of the gap at this position in seconds, or the position itself if there is no gap. */
  #endOfGapAt(seconds: number): number {
    return this.#gaps.reduce(
      (at, { start, end }) => (start - BEFORE_GAP_SECONDS <= at && at < end ? end : at),
      seconds,
    );
  }

  #showIncomplete(): void {
    this.#setNotice('incomplete');
    setTimeout(() => {
      if (this.#notice === 'incomplete') this.#setNotice(undefined);
    }, NOTICE_MILLISECONDS);
  }

  #setNotice(notice: Notice | undefined): void {
    if (notice === this.#notice) return;
    this.#notice = notice;
    this.#options.onNotice(notice);
  }
}

function typeOf({ type }: Fragment): string {
  return type;
}
