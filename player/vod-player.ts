import { engineFor } from './engine.ts';
import type { Engine, StartEngine } from './engine.ts';
import { layOut, setRoles } from './layout.ts';
import type { Layout } from './layout.ts';
import { keepPosition, readPosition } from './position.ts';
import { SENTENCES } from './problems.ts';
import type { Problem } from './problems.ts';
import { StyledElement } from './shadow.ts';

/** Told again on the element, as events of the <video> do not leave its shadow root. */
const TOLD = ['play', 'playing', 'pause', 'seeked', 'timeupdate', 'ended', 'ratechange'] as const;
/** How far a viewer may have watched beyond what is kept. */
const KEEP_EVERY_SECONDS = 5;

/**
 * `<vod-player src="…/index.m3u8">`: plays a video of vodstack on any page. Nothing but the poster is
 * fetched before somebody presses play. docs/player.md lists what it takes and tells.
 */
export class VodPlayer extends StyledElement {
  static readonly observedAttributes = ['src', 'poster', 'title', 'aspect-ratio'];

  #layout: Layout | undefined;
  #startEngine: StartEngine | undefined;
  #engine: Engine | undefined;
  /** What the engine plays; `src` may be another by then. */
  #played = '';
  /** Seconds; where to go on after a problem, until it plays again. */
  #resumeAt = 0;
  #keptAt = 0;
  /** The title that the playlist tells. */
  #toldTitle = '';

  connectedCallback(): void {
    const layout = (this.#layout ??= this.#build());
    addEventListener('pagehide', this.#keep);
    // Its parts come after it, and media-chrome names them anew each time: also when it is moved.
    queueMicrotask(() => {
      setRoles(layout);
      this.#showTitle(layout);
    });
  }

  disconnectedCallback(): void {
    removeEventListener('pagehide', this.#keep);
    this.#stop();
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (!this.#layout || before === now) return;
    if (name === 'src') {
      this.#stop();
      this.#resumeAt = 0;
      this.#toldTitle = '';
    }
    // How it is asked for depends on where the video is.
    if (name === 'poster' || name === 'src') this.#showPoster(this.#layout);
    if (name === 'title' || name === 'src') this.#showTitle(this.#layout);
    if (name === 'aspect-ratio') this.#takePlace();
  }

  /** The <video> inside, for all that HTML has for one. */
  get video(): HTMLVideoElement | undefined {
    return this.#layout?.video;
  }

  /**
   * Plays, and tells whether it does. A browser that waits for a person's press on the page says no,
   * and so does this, before anything of the video is fetched.
   */
  async play(): Promise<boolean> {
    const { video } = this.#layout ?? {};
    if (!video || (!video.muted && !wasPressed()) || !this.#prepare()) return false;
    return video.play().then(
      () => true,
      (error: unknown) => {
        if (error instanceof DOMException && error.name === 'NotAllowedError') this.#stop();
        return false;
      },
    );
  }

  pause(): void {
    this.video?.pause();
  }

  #build(): Layout {
    const root = this.attachShadow({ mode: 'open' });
    const layout = layOut(root);
    const { video, controller } = layout;
    this.#startEngine = engineFor(video);
    // In the capture phase, so that there is something to play when media-chrome calls play(); both
    // within the press of the button, so that the browser sees a person's wish.
    root.addEventListener(
      'mediaplayrequest',
      (event) => {
        if (!this.#prepare()) event.stopPropagation();
      },
      true,
    );
    for (const type of TOLD) {
      video.addEventListener(type, () => this.dispatchEvent(new Event(type)));
    }
    video.addEventListener('playing', () => (this.#resumeAt = 0));
    video.addEventListener('timeupdate', () => {
      if (Math.abs(video.currentTime - this.#keptAt) >= KEEP_EVERY_SECONDS) this.#keep();
    });
    for (const type of ['pause', 'seeked', 'ended']) video.addEventListener(type, this.#keep);
    video.addEventListener('loadedmetadata', () =>
      controller.classList.toggle('sound', video.videoWidth === 0),
    );
    this.#showPoster(layout);
    if (this.hasAttribute('aspect-ratio')) this.#takePlace();
    return layout;
  }

  #showTitle({ controller, heading }: Layout): void {
    const title = this.title || this.#toldTitle;
    heading.textContent = title;
    controller.setAttribute('aria-label', title || 'video player');
  }

  #showPoster({ poster }: Layout): void {
    const address = this.getAttribute('poster');
    poster.replaceChildren(...(address ? [picture(address, this.#src)] : []));
  }

  #takePlace(): void {
    this.style.aspectRatio = this.getAttribute('aspect-ratio') ?? '';
  }

  get #src(): string {
    return this.getAttribute('src') ?? '';
  }

  get #keepsPosition(): boolean {
    return !this.hasAttribute('forget-position');
  }

  /** Has an engine at work. False, with a sentence for the viewer, where there can be none. */
  #prepare(): boolean {
    if (this.#engine) return true;
    const { controller, video, problem, playButton } = this.#layout ?? {};
    if (!controller || !video || !problem || !playButton) return false;
    const src = this.#src;
    if (originOf(src) === '') return this.#tell('unnamed');
    problem.textContent = '';
    this.#resumeAt ||= this.#keepsPosition ? readPosition(src) : 0;
    video.replaceChildren(...this.#captions());
    const engine = this.#startEngine?.({
      src,
      from: this.#resumeAt,
      onSessionData: (values) => this.#take(values),
      // Found out by a question to the network: another video may play by then.
      onProblem: (why) => this.#engine === engine && this.#tell(why),
    });
    if (!engine) return this.#tell('unsupported');
    this.#engine = engine;
    this.#played = src;
    const storyboard = this.getAttribute('storyboard');
    if (storyboard) this.#showStoryboard(storyboard);
    controller.classList.remove('idle');
    // The button that was pressed is gone, and with it the focus would be.
    if (this.matches(':focus-within')) playButton.focus();
    return true;
  }

  /** The element's own <track> children: one that is not in a <video> does nothing. */
  #captions(): readonly Node[] {
    return [...this.querySelectorAll(':scope > track')].map((track) => track.cloneNode());
  }

  #take(values: ReadonlyMap<string, string>): void {
    this.#toldTitle = values.get('com.apple.hls.title') ?? '';
    if (this.#layout) this.#showTitle(this.#layout);
    const storyboard = values.get('org.vodstack.storyboard');
    if (storyboard && !this.hasAttribute('storyboard')) {
      this.#showStoryboard(new URL(storyboard, new URL(this.#src, document.baseURI)).href);
    }
  }

  /** media-chrome shows what a track of this name says on the seek bar. */
  #showStoryboard(src: string): void {
    const track = Object.assign(document.createElement('track'), { kind: 'metadata', src });
    Object.assign(track, { label: 'thumbnails', default: true });
    this.video?.append(track);
  }

  #tell(why: Problem): false {
    const { problem, startButton } = this.#layout ?? {};
    this.#resumeAt = this.video?.currentTime || this.#resumeAt;
    const focused = this.matches(':focus-within');
    this.#stop();
    if (problem) problem.textContent = SENTENCES[why];
    if (focused) startButton?.focus();
    this.dispatchEvent(new CustomEvent('problem', { detail: { why, sentence: SENTENCES[why] } }));
    return false;
  }

  /** Back to the poster. */
  #stop(): void {
    this.#keep();
    this.#engine?.stop();
    this.#engine = undefined;
    this.#layout?.video.replaceChildren();
    this.#layout?.controller.classList.add('idle');
    this.#layout?.controller.classList.remove('sound');
    this.#layout?.problem.replaceChildren();
  }

  readonly #keep = (): void => {
    const { currentTime = 0, duration = NaN } = this.video ?? {};
    if (!this.#engine || !this.#keepsPosition || !(duration > 0)) return;
    this.#keptAt = currentTime;
    keepPosition(this.#played, currentTime, duration);
  };
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
function picture(address: string, src: string): HTMLImageElement {
  const image = Object.assign(new Image(), { loading: 'lazy', decoding: 'async', alt: '' });
  if (originOf(address) === originOf(src)) image.crossOrigin = 'anonymous';
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
