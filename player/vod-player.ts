import { describe, describeBy } from './description.ts';
import type { Description } from './description.ts';
import { engineFor } from './engine.ts';
import type { Engine, StartEngine } from './engine.ts';
import { secondsOf, stretchOf } from './fragment.ts';
import { obeyKeys } from './keys.ts';
import { layOut, setRoles } from './layout.ts';
import type { Layout } from './layout.ts';
import { getOrInsertCSSRule } from './media-chrome/element-utils.ts';
import { keepPosition, readPosition } from './position.ts';
import { NOTICES, SENTENCES } from './problems.ts';
import type { Notice, Problem } from './problems.ts';
import { defineProperties, hasFlag, takeEarlyProperties } from './properties.ts';
import { sessionOf } from './session.ts';
import type { Session } from './session.ts';
import { StyledElement } from './shadow.ts';

/** Told again on the element, as events of the <video> do not leave its shadow root. */
const TOLD = [
  ...['loadstart', 'loadedmetadata', 'durationchange', 'loadeddata', 'canplay', 'emptied'],
  ...['play', 'playing', 'pause', 'waiting', 'seeking', 'seeked', 'timeupdate', 'ended'],
  ...['ratechange', 'volumechange', 'progress', 'stalled'],
] as const;
/** How far a viewer may have watched beyond what is kept. */
const KEEP_EVERY_SECONDS = 5;

const PROPERTIES = {
  texts: {
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
  others: ['currentTime', 'duration', 'paused', 'ended', 'muted', 'volume', 'playbackRate'],
} as const;

/** Those in a page, of which one sounds at a time. */
const connected = new Set<VodPlayer>();

/**
 * `<vod-player src="…/index.m3u8">`: plays a video of vodstack on any page. No media is fetched before
 * somebody presses play. docs/player.md lists its attributes, properties and events.
 */
export class VodPlayer extends StyledElement {
  static readonly observedAttributes = [
    ...['src', 'poster', 'title', 'aspect-ratio'],
    ...['autoplay', 'muted', 'loop', 'preload'],
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

  /** The <video> inside, for all that HTML has for one. */
  readonly video: HTMLVideoElement = createVideo();

  readonly #startEngine: StartEngine = engineFor(this.video);
  readonly #session: Session = sessionOf(this.video);
  /** Calls back once, when the element comes near to what is seen of the page. */
  readonly #nearby = new IntersectionObserver((entries) => this.#lookAhead(entries), {
    rootMargin: '300px',
  });
  #layout: Layout | undefined;
  #engine: Engine | undefined;
  /** What the engine plays; `src` may be another by then. */
  #played = '';
  /** Seconds; where to go on after a problem, until it plays again. */
  #resumeAt = 0;
  #keptAt = 0;
  /** Seconds; where the part ends that `src` asks for, until that was reached. */
  #stopsAt = Infinity;
  #shownPoster = '';
  /** What the playlist at `src` says, once it was read. */
  #description: Description | undefined;

  connectedCallback(): void {
    // Not in the constructor: an element hears nothing of its attributes until that is done.
    takeEarlyProperties(this, PROPERTIES);
    connected.add(this);
    addEventListener('pagehide', this.#keep);
    const layout = this.#layout ?? this.#build();
    if (!layout) return;
    // Its parts come after it, and media-chrome names them anew each time: also when it is moved.
    queueMicrotask(() => {
      setRoles(layout);
      this.#showDescription();
    });
    this.#begin();
  }

  disconnectedCallback(): void {
    connected.delete(this);
    this.#nearby.disconnect();
    removeEventListener('pagehide', this.#keep);
    this.#stop();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (before === now) return;
    if (name === 'muted') {
      this.video.muted = hasFlag(this, 'muted');
      // By this media-chrome knows that it is the page's wish, and not one of the viewer to be kept.
      this.video.defaultMuted = this.video.muted;
    }
    if (name === 'loop') this.video.loop = this.loop;
    if (name === 'aspect-ratio') this.#takePlace();
    if (!this.#layout) return;
    if (name === 'src') {
      this.#stop();
      this.#resumeAt = 0;
      this.#description = undefined;
      this.#showKind(false);
    }
    // How the poster is asked for depends on where the video is.
    if (['src', 'poster', 'title'].includes(name)) this.#showDescription();
    if (['src', 'autoplay', 'muted', 'preload'].includes(name)) this.#begin();
  }

  /**
   * Plays, and tells whether it does. A browser that waits for a person's press on the page says no,
   * and so does this, before any media is fetched.
   */
  async play(): Promise<boolean> {
    const { video } = this;
    if (!this.#layout || (!video.muted && !wasPressed()) || !this.#prepare()) return false;
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
    const layout = this.#layOut(root);
    if (!layout) return undefined;
    this.#layout = layout;
    // In the capture phase, so that there is something to play when media-chrome calls play(); both
    // within the press of the button, so that the browser sees a person's wish.
    root.addEventListener(
      'mediaplayrequest',
      (event) => {
        if (!this.#prepare()) event.stopPropagation();
      },
      true,
    );
    obeyKeys(root, video);
    layout.replayButton.addEventListener('click', () => {
      layout.playButton.focus();
      void this.play();
    });
    for (const type of TOLD) {
      video.addEventListener(type, () => {
        // #stop() has told of it already: what is stopped may tell nothing itself.
        if (type === 'pause' && !this.#engine) return;
        this.#hear(type, layout);
        this.dispatchEvent(new Event(type));
      });
    }
    this.#takePlace();
    return layout;
  }

  /** Undefined, with a sentence in its place, where the page allows no markup. */
  #layOut(root: ShadowRoot): Layout | undefined {
    try {
      return layOut(root, this.video);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const sentence = document.createElement('p');
      sentence.textContent = SENTENCES.untrusted;
      root.replaceChildren(sentence);
      this.#announce('untrusted');
      return undefined;
    }
  }

  #hear(type: (typeof TOLD)[number], { controller }: Layout): void {
    const { video } = this;
    if (type === 'play' || type === 'volumechange') this.#silenceOthers();
    if (type === 'playing') {
      this.#resumeAt = 0;
      if (!video.muted) this.#session.take(this.#title);
    }
    if (type === 'timeupdate' && Math.abs(video.currentTime - this.#keptAt) >= KEEP_EVERY_SECONDS) {
      this.#keep();
    }
    if (type === 'timeupdate' && video.currentTime >= this.#stopsAt) {
      this.#stopsAt = Infinity;
      video.pause();
    }
    if (type === 'pause' || type === 'seeked' || type === 'ended') this.#keep();
    // The next video is played as fast.
    if (type === 'ratechange') video.defaultPlaybackRate = video.playbackRate;
    if (type === 'loadedmetadata') this.#showKind(video.videoWidth === 0);
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

  get #keepsPosition(): boolean {
    return !this.forgetPosition;
  }

  /** Begins what needs no press: playing where the page wants that, or reading what there is to play. */
  #begin(): void {
    if (this.#engine || this.#src === '') return;
    if (this.autoplay) void this.play();
    this.#nearby.disconnect();
    if (this.preload !== 'none') this.#nearby.observe(this);
  }

  #lookAhead(entries: readonly IntersectionObserverEntry[]): void {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    this.#nearby.disconnect();
    const src = this.#src;
    if (this.#engine || originOf(src) === '') return;
    if (this.preload === 'auto') {
      this.#load();
    } else if (!this.#description) {
      void describe(src).then((description) => {
        if (description && src === this.#src) this.#learn(description);
      });
    }
  }

  #learn(description: Description): void {
    this.#description = description;
    this.#showDescription();
    this.#showKind(description.soundOnly);
  }

  #showDescription(): void {
    const { controller, heading, poster } = this.#layout ?? {};
    const title = this.#title;
    if (heading) heading.textContent = title;
    controller?.setAttribute('aria-label', title || 'video player');
    const address = this.#poster;
    const byCors = originOf(address) === originOf(this.#src);
    const shown = `${byCors ? 'by CORS' : ''} ${address}`;
    // The same picture once more would flicker, and one that is not there be asked for again.
    if (shown === this.#shownPoster) return;
    this.#shownPoster = shown;
    poster?.replaceChildren(...(address ? [picture(address, byCors)] : []));
  }

  #showKind(soundOnly: boolean): void {
    const root = this.shadowRoot;
    if (!root) return;
    this.#layout?.controller.classList.toggle('sound', soundOnly);
    // As low as its controls are, unless the page says otherwise.
    const { style } = getOrInsertCSSRule(root, ':host(:not([aspect-ratio]))');
    style.aspectRatio = soundOnly ? 'auto' : '';
  }

  #takePlace(): void {
    const root = this.shadowRoot;
    if (!root) return;
    // Important, as the page's own rules win over those in here otherwise.
    const { style } = getOrInsertCSSRule(root, ':host([aspect-ratio])');
    style.removeProperty('aspect-ratio');
    style.setProperty('aspect-ratio', this.aspectRatio, 'important');
  }

  /** Has an engine at work, and shows it. False, with a sentence for the viewer, where there can be none. */
  #prepare(): boolean {
    if (!this.#load()) return false;
    const { controller, playButton } = this.#layout ?? {};
    if (!controller?.classList.contains('idle')) return true;
    controller.classList.remove('idle');
    // The button that was pressed is gone, and with it the focus would be.
    if (this.matches(':focus-within')) playButton?.focus();
    return true;
  }

  #load(): boolean {
    if (this.#engine) return true;
    const { problem } = this.#layout ?? {};
    const { video } = this;
    const src = this.#src;
    if (!problem) return false;
    if (originOf(src) === '') return this.#tell('unnamed');
    problem.textContent = '';
    const { from, to } = stretchOf(src);
    const asked = secondsOf(this.startTime) ?? from;
    this.#stopsAt = to;
    this.#resumeAt ||= video.currentTime || asked || (this.#keepsPosition ? readPosition(src) : 0);
    video.replaceChildren(...this.#captions());
    const engine = this.#startEngine({
      src: src.replace(/#.*/s, ''),
      from: this.#resumeAt,
      onSessionData: (values, soundOnly) => {
        this.#learn(describeBy(values, soundOnly, src));
        const { storyboard } = this.#description ?? {};
        if (storyboard && !this.hasAttribute('storyboard')) this.#showStoryboard(storyboard);
      },
      // Found out by a question to the network: another video may play by then.
      onProblem: (why) => this.#engine === engine && this.#tell(why),
      onNotice: (why) => this.#note(why),
    });
    if (!engine) return this.#tell('unsupported');
    this.#engine = engine;
    this.#played = src;
    const storyboard = this.getAttribute('storyboard');
    if (storyboard) this.#showStoryboard(storyboard);
    return true;
  }

  /** The element's own <track> children: one that is not in a <video> does nothing. */
  #captions(): readonly Node[] {
    return [...this.querySelectorAll(':scope > track')].map((track) => track.cloneNode());
  }

  /** media-chrome shows what a track of this name says on the seek bar. */
  #showStoryboard(src: string): void {
    const track = Object.assign(document.createElement('track'), { kind: 'metadata', src });
    Object.assign(track, { label: 'thumbnails', default: true });
    this.video.append(track);
  }

  /** Pauses other players that sound, when this one begins to. */
  #silenceOthers(): void {
    if (!this.#sounds || this.simultaneous) return;
    for (const other of connected) {
      if (other !== this && other.#sounds && !other.simultaneous) other.pause();
    }
  }

  get #sounds(): boolean {
    const { paused, muted, volume } = this.video;
    return !paused && !muted && volume > 0;
  }

  #tell(why: Problem): false {
    const { problem, startButton } = this.#layout ?? {};
    this.#resumeAt = this.video.currentTime || this.#resumeAt;
    const focused = this.matches(':focus-within');
    this.#stop();
    if (problem) problem.textContent = SENTENCES[why];
    if (focused) startButton?.focus();
    this.#announce(why);
    return false;
  }

  #announce(why: Problem): void {
    this.dispatchEvent(new CustomEvent('problem', { detail: { why, sentence: SENTENCES[why] } }));
  }

  /** Says something without a stop, until it is called with nothing. */
  #note(why: Notice | undefined): void {
    const sentence = why ? NOTICES[why] : '';
    if (this.#layout) this.#layout.notice.textContent = sentence;
    if (why) this.dispatchEvent(new CustomEvent('problem', { detail: { why, sentence } }));
  }

  /** Back to the poster. */
  #stop(): void {
    this.#keep();
    const wasPlaying = !this.video.paused;
    this.video.pause();
    this.#engine?.stop();
    this.#engine = undefined;
    if (wasPlaying) this.dispatchEvent(new Event('pause'));
    this.#session.leave();
    this.video.replaceChildren();
    const { controller, problem } = this.#layout ?? {};
    controller?.classList.add('idle');
    controller?.classList.remove('ended');
    problem?.replaceChildren();
  }

  readonly #keep = (): void => {
    const { currentTime, duration } = this.video;
    if (!this.#engine || !this.#keepsPosition || !(duration > 0)) return;
    this.#keptAt = currentTime;
    keepPosition(this.#played, currentTime, duration);
  };
}

defineProperties(VodPlayer, PROPERTIES, ({ video }) => video);

function createVideo(): HTMLVideoElement {
  const video = document.createElement('video');
  Object.assign(video, { slot: 'media', preload: 'none', playsInline: true });
  video.crossOrigin = 'anonymous';
  // media-chrome offers it also where the policy of a frame forbids it.
  if (!document.pictureInPictureEnabled) video.disablePictureInPicture = true;
  return video;
}

/** Empty for what is no address, and for none. */
function originOf(address: string): string {
  return address && Object.assign(document.createElement('a'), { href: address }).origin;
}

/** Whether a person has pressed anything on the page; browsers that cannot tell decide by themselves. */
function wasPressed(): boolean {
  return !('userActivation' in navigator) || navigator.userActivation.hasBeenActive;
}

/**
 * Lazy as any picture of a page. Asked for by CORS where it is the CDN's: the CDN allows that, and so
 * knows whose page asks also where the page's policy is to send no Referer.
 */
function picture(address: string, byCors: boolean): HTMLImageElement {
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
