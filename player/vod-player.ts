import { fetchDescription, toDescription } from './description.ts';
import type { Description } from './description.ts';
import { selectEngine } from './engine.ts';
import type { Engine } from './engine.ts';
import { pauseOthers, players } from './exclusive-sound.ts';
import { correctRoles, renderLayout } from './layout.ts';
import type { Layout } from './layout.ts';
import { getOrInsertCSSRule } from './media-chrome/element-utils.ts';
import { parseMediaFragment, parseTime } from './media-fragment.ts';
import { createMediaSession } from './media-session.ts';
import { readPosition, savePosition } from './position.ts';
import { NOTICES, PROBLEMS } from './problems.ts';
import type { Notice, Problem } from './problems.ts';
import { defineProperties, hasFlag, upgradeProperties } from './properties.ts';
import { handleSeekKeys } from './seek-keys.ts';
import { StyledElement } from './shadow.ts';

/** Dispatched again on the element, as events of the `<video>` do not leave the shadow root. */
const RELAYED_EVENTS = [
  'loadstart',
  'loadedmetadata',
  'durationchange',
  'loadeddata',
  'canplay',
  'emptied',
  'play',
  'playing',
  'pause',
  'waiting',
  'seeking',
  'seeked',
  'timeupdate',
  'ended',
  'ratechange',
  'volumechange',
  'progress',
  'stalled',
] as const;
/** How often the position is saved during playback. */
const SAVE_INTERVAL_SECONDS = 5;

const PROPERTIES = {
  strings: {
    src: 'src',
    poster: 'poster',
    preload: 'preload',
    startTime: 'start-time',
    storyboard: 'storyboard',
    aspectRatio: 'aspect-ratio',
  },
  flags: {
    autoplay: 'autoplay',
    loop: 'loop',
    simultaneous: 'simultaneous',
    forgetPosition: 'forget-position',
  },
  delegated: ['currentTime', 'duration', 'paused', 'ended', 'muted', 'volume', 'playbackRate'],
} as const;

/**
 * `<vod-player src="…/index.m3u8">` plays a video of vodstack on any page. It fetches no media before the viewer
 * presses play, unless an attribute asks for that. docs/player.md lists its attributes, properties and events.
 */
export class VodPlayer extends StyledElement {
  static readonly observedAttributes = [
    'src',
    'poster',
    'title',
    'aspect-ratio',
    'autoplay',
    'muted',
    'loop',
    'preload',
  ];

  declare src: string;
  declare poster: string;
  declare preload: string;
  declare startTime: string;
  declare storyboard: string;
  declare aspectRatio: string;
  declare autoplay: boolean;
  declare loop: boolean;
  declare simultaneous: boolean;
  declare forgetPosition: boolean;
  declare currentTime: number;
  declare readonly duration: number;
  declare readonly paused: boolean;
  declare readonly ended: boolean;
  declare muted: boolean;
  declare volume: number;
  declare playbackRate: number;

  /** The inner `<video>`, for everything that HTML offers on one. */
  readonly video: HTMLVideoElement = createVideo();

  readonly #startEngine = selectEngine(this.video);
  readonly #mediaSession = createMediaSession(this.video);
  /** Preloads once the element is near the viewport. */
  readonly #proximity = new IntersectionObserver((entries) => this.#preload(entries), {
    rootMargin: '300px',
  });
  #layout: Layout | undefined;
  #engine: Engine | undefined;
  /** The address that the engine plays. `src` may have changed since. */
  #loadedSrc = '';
  /** Where playback continues after a problem, in seconds. */
  #resumeAt = 0;
  #savedPosition = 0;
  /** The end of the media fragment in `src`, in seconds, until playback has reached it. */
  #fragmentEnd = Infinity;
  #shownPoster = '';
  /** Read from the playlist at `src`. */
  #description: Description | undefined;

  connectedCallback(): void {
    // Not in the constructor, during which an element is not told of changes to its attributes.
    upgradeProperties(this, PROPERTIES);
    players.add(this);
    addEventListener('pagehide', this.#savePosition);
    const layout = this.#layout ?? this.#build();
    if (!layout) return;
    // Nested elements are connected after this one, and media-chrome sets their roles and labels each time.
    queueMicrotask(() => {
      correctRoles(layout);
      this.#showDescription();
    });
    this.#startUnattended();
  }

  disconnectedCallback(): void {
    players.delete(this);
    this.#proximity.disconnect();
    removeEventListener('pagehide', this.#savePosition);
    this.#stop();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    if (name === 'muted') {
      this.video.muted = hasFlag(this, 'muted');
      // media-chrome would otherwise save it as the viewer's preference.
      this.video.defaultMuted = this.video.muted;
    }
    if (name === 'loop') this.video.loop = this.loop;
    if (name === 'aspect-ratio') this.#applyAspectRatio();
    if (!this.#layout) return;
    if (name === 'src') {
      this.#stop();
      this.#resumeAt = 0;
      this.#description = undefined;
      this.#showSoundOnly(false);
    }
    // Whether the poster is fetched by CORS depends on the origin of `src`.
    if (['src', 'poster', 'title'].includes(name)) this.#showDescription();
    if (['src', 'autoplay', 'muted', 'preload'].includes(name)) this.#startUnattended();
  }

  /**
   * Resolves to whether the video plays. It does not, and nothing is fetched, if the browser demands that the viewer
   * interacts with the page first.
   */
  async play(): Promise<boolean> {
    const { video } = this;
    if (!this.#layout || (!video.muted && !hasUserActivation()) || !this.#start()) return false;
    return video.play().then(
      () => true,
      (error: unknown) => {
        if (error instanceof DOMException && error.name === 'NotAllowedError') this.#stop();
        return false;
      },
    );
  }

  pause(): void {
    this.video.pause();
  }

  #build(): Layout | undefined {
    const { video } = this;
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    const layout = this.#render(root);
    if (!layout) return undefined;
    this.#layout = layout;
    // In the capture phase, as the engine has to be started before media-chrome calls play(). Both happen within the
    // click handler, as browsers demand.
    root.addEventListener(
      'mediaplayrequest',
      (event) => {
        if (!this.#start()) event.stopPropagation();
      },
      true,
    );
    handleSeekKeys(root, video);
    layout.replayButton.addEventListener('click', () => {
      layout.playButton.focus();
      void this.play();
    });
    for (const type of RELAYED_EVENTS) {
      video.addEventListener(type, () => {
        // #stop() has dispatched this event itself, as a stopped <video> may not.
        if (type === 'pause' && !this.#engine) return;
        this.#handleMediaEvent(type, layout);
        this.dispatchEvent(new Event(type));
      });
    }
    this.#applyAspectRatio();
    return layout;
  }

  /** Undefined if the page does not allow the player's markup. A sentence then takes its place. */
  #render(root: ShadowRoot): Layout | undefined {
    try {
      return renderLayout(root, this.video);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const sentence = document.createElement('p');
      sentence.textContent = PROBLEMS.untrusted;
      root.replaceChildren(sentence);
      this.#dispatchProblem('untrusted', PROBLEMS.untrusted);
      return undefined;
    }
  }

  #handleMediaEvent(type: (typeof RELAYED_EVENTS)[number], { controller }: Layout): void {
    const { video } = this;
    if (type === 'play' || type === 'volumechange') pauseOthers(this);
    if (type === 'playing') {
      this.#resumeAt = 0;
      if (!video.muted) this.#mediaSession.activate(this.#title);
    }
    if (type === 'timeupdate') {
      const { currentTime } = video;
      const unsaved = Math.abs(currentTime - this.#savedPosition);
      if (unsaved >= SAVE_INTERVAL_SECONDS) this.#savePosition();
      if (currentTime >= this.#fragmentEnd) {
        this.#fragmentEnd = Infinity;
        video.pause();
      }
    }
    if (type === 'pause' || type === 'seeked' || type === 'ended') this.#savePosition();
    // Keeps the speed for the next video.
    if (type === 'ratechange') video.defaultPlaybackRate = video.playbackRate;
    if (type === 'loadedmetadata') this.#showSoundOnly(video.videoWidth === 0);
    if (type === 'ended') controller.classList.add('ended');
    if (type === 'play' || type === 'seeking' || type === 'emptied') {
      controller.classList.remove('ended');
    }
  }

  get #src(): string {
    return this.getAttribute('src') ?? '';
  }

  get #title(): string {
    return this.title || (this.#description?.title ?? '');
  }

  get #poster(): string {
    return this.poster || (this.#description?.poster ?? '');
  }

  /** Starts what needs no click: autoplay and preloading. */
  #startUnattended(): void {
    if (this.#engine || this.#src === '') return;
    if (this.autoplay) void this.play();
    this.#proximity.disconnect();
    if (this.preload !== 'none') this.#proximity.observe(this);
  }

  #preload(entries: readonly IntersectionObserverEntry[]): void {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    this.#proximity.disconnect();
    const src = this.#src;
    if (this.#engine || originOf(src) === '') return;
    if (this.preload === 'auto') {
      this.#loadMedia();
    } else if (!this.#description) {
      void fetchDescription(src).then((description) => {
        if (description && src === this.#src) this.#setDescription(description);
      });
    }
  }

  #setDescription(description: Description): void {
    this.#description = description;
    this.#showDescription();
    this.#showSoundOnly(description.soundOnly);
  }

  #showDescription(): void {
    const { controller, heading, poster } = this.#layout ?? {};
    const title = this.#title;
    if (heading) heading.textContent = title;
    controller?.setAttribute('aria-label', title || 'video player');
    const address = this.#poster;
    const byCors = originOf(address) === originOf(this.#src);
    const shown = `${byCors ? 'by CORS' : ''} ${address}`;
    // Replacing the image with itself would flicker, and request a missing image again.
    if (shown === this.#shownPoster) return;
    this.#shownPoster = shown;
    poster?.replaceChildren(...(address ? [posterImage(address, byCors)] : []));
  }

  #showSoundOnly(soundOnly: boolean): void {
    const root = this.shadowRoot;
    if (!root) return;
    this.#layout?.controller.classList.toggle('sound', soundOnly);
    // The player is only as high as its controls, unless the page sets an aspect ratio.
    const { style } = getOrInsertCSSRule(root, ':host(:not([aspect-ratio]))');
    style.aspectRatio = soundOnly ? 'auto' : '';
  }

  #applyAspectRatio(): void {
    const root = this.shadowRoot;
    if (!root) return;
    // Important, as the page's own rules would otherwise override it.
    const { style } = getOrInsertCSSRule(root, ':host([aspect-ratio])');
    style.removeProperty('aspect-ratio');
    style.setProperty('aspect-ratio', this.aspectRatio, 'important');
  }

  /** Starts the engine and shows the controls. False if that fails; the viewer is then told why. */
  #start(): boolean {
    if (!this.#loadMedia()) return false;
    const { controller, playButton } = this.#layout ?? {};
    if (!controller?.classList.contains('idle')) return true;
    controller.classList.remove('idle');
    // The start button, which had the focus, is hidden now.
    if (this.matches(':focus-within')) playButton?.focus();
    return true;
  }

  #loadMedia(): boolean {
    if (this.#engine) return true;
    const { problem } = this.#layout ?? {};
    const { video } = this;
    const src = this.#src;
    if (!problem) return false;
    if (originOf(src) === '') return this.#fail('unnamed');
    problem.textContent = '';
    const { start, end } = parseMediaFragment(src);
    const requested = parseTime(this.startTime) ?? start;
    this.#fragmentEnd = end;
    this.#resumeAt ||=
      video.currentTime || requested || (this.forgetPosition ? 0 : readPosition(src));
    video.replaceChildren(...this.#cloneTracks());
    const engine = this.#startEngine({
      src: src.replace(/#.*/s, ''),
      startTime: this.#resumeAt,
      onSessionData: (values, soundOnly) => {
        this.#setDescription(toDescription(values, soundOnly, src));
        const { storyboard } = this.#description ?? {};
        if (storyboard && !this.hasAttribute('storyboard')) this.#showStoryboard(storyboard);
      },
      // Diagnosing a problem takes a request. By then, another video may be playing.
      onProblem: (why) => this.#engine === engine && this.#fail(why),
      onNotice: (why) => this.#setNotice(why),
    });
    if (!engine) return this.#fail('unsupported');
    this.#engine = engine;
    this.#loadedSrc = src;
    const storyboard = this.getAttribute('storyboard');
    if (storyboard) this.#showStoryboard(storyboard);
    return true;
  }

  /** Copies of the element's `<track>` children, which work within a `<video>` only. */
  #cloneTracks(): readonly Node[] {
    return [...this.querySelectorAll(':scope > track')].map((track) => track.cloneNode());
  }

  #showStoryboard(src: string): void {
    const track = document.createElement('track');
    // media-chrome shows the images of a track with this label above the seek bar.
    Object.assign(track, { kind: 'metadata', label: 'thumbnails', default: true, src });
    this.video.append(track);
  }

  /** Stops, and tells the viewer and the page why. Returns false for its callers. */
  #fail(why: Problem): false {
    const { problem, startButton } = this.#layout ?? {};
    this.#resumeAt = this.video.currentTime || this.#resumeAt;
    const focused = this.matches(':focus-within');
    this.#stop();
    if (problem) problem.textContent = PROBLEMS[why];
    if (focused) startButton?.focus();
    this.#dispatchProblem(why, PROBLEMS[why]);
    return false;
  }

  /** Shows a notice while playback continues, until it is called with undefined. */
  #setNotice(why: Notice | undefined): void {
    const sentence = why ? NOTICES[why] : '';
    if (this.#layout) this.#layout.notice.textContent = sentence;
    if (why) this.#dispatchProblem(why, sentence);
  }

  #dispatchProblem(why: Problem | Notice, sentence: string): void {
    this.dispatchEvent(new CustomEvent('problem', { detail: { why, sentence } }));
  }

  /** Stops playback and shows the poster. */
  #stop(): void {
    this.#savePosition();
    const wasPlaying = !this.video.paused;
    this.video.pause();
    this.#engine?.stop();
    this.#engine = undefined;
    if (wasPlaying) this.dispatchEvent(new Event('pause'));
    this.#mediaSession.release();
    this.video.replaceChildren();
    const { controller, problem } = this.#layout ?? {};
    controller?.classList.add('idle');
    controller?.classList.remove('ended');
    problem?.replaceChildren();
  }

  readonly #savePosition = (): void => {
    const { currentTime, duration } = this.video;
    if (!this.#engine || this.forgetPosition || !(duration > 0)) return;
    this.#savedPosition = currentTime;
    savePosition(this.#loadedSrc, currentTime, duration);
  };
}

defineProperties(VodPlayer, PROPERTIES, ({ video }) => video);

function createVideo(): HTMLVideoElement {
  const video = document.createElement('video');
  Object.assign(video, {
    slot: 'media',
    preload: 'none',
    playsInline: true,
    crossOrigin: 'anonymous',
  });
  // media-chrome does not check whether the permissions policy of a frame forbids it.
  if (!document.pictureInPictureEnabled) video.disablePictureInPicture = true;
  return video;
}

/** Empty if the address is empty or invalid. */
function originOf(address: string): string {
  return address && Object.assign(document.createElement('a'), { href: address }).origin;
}

/** Whether the viewer has interacted with the page. True if the browser cannot tell; play() then finds out. */
function hasUserActivation(): boolean {
  return !('userActivation' in navigator) || navigator.userActivation.hasBeenActive;
}

/**
 * A poster from the origin of the video is fetched by CORS. The CDN allows that, and the Origin header then names the
 * site even if the page's policy is to send no Referer.
 */
function posterImage(address: string, byCors: boolean): HTMLImageElement {
  const image = Object.assign(new Image(), { loading: 'lazy', decoding: 'async', alt: '' });
  if (byCors) image.crossOrigin = 'anonymous';
  image.addEventListener('error', () => image.remove());
  image.src = address;
  return image;
}

if (!customElements.get('vod-player')) customElements.define('vod-player', VodPlayer);

declare global {
  interface HTMLElementTagNameMap {
    'vod-player': VodPlayer;
  }
}
