/**
 * The track lists that media-chrome's menus read and write. Browsers implement these interfaces only in part:
 * https://github.com/video-dev/media-ui-extensions (renditions) and HTML's audio tracks.
 */

export interface Rendition {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly bitrate: number;
}

/** The renditions of a video. One can be selected; -1 leaves the choice to the engine. */
export class Renditions extends EventTarget {
  readonly #select: (index: number) => void;
  #all: readonly Rendition[] = [];
  #selected = -1;

  constructor(select: (index: number) => void) {
    super();
    this.#select = select;
  }

  get length(): number {
    return this.#all.length;
  }

  get selectedIndex(): number {
    return this.#selected;
  }

  set selectedIndex(index: number) {
    this.#selected = index;
    this.#select(index);
    this.dispatchEvent(new Event('change'));
  }

  [Symbol.iterator](): Iterator<Rendition> {
    return this.#all[Symbol.iterator]();
  }

  replace(all: readonly Rendition[]): void {
    // media-chrome accesses the renditions by index, as in an array.
    this.#all.forEach((_, index) => Reflect.deleteProperty(this, index));
    this.#all = all;
    this.#selected = -1;
    Object.assign(this, all);
    this.dispatchEvent(new Event(all.length > 0 ? 'addrendition' : 'removerendition'));
  }
}

/** One of several audio tracks. Enabling it disables the others. */
export class AudioTrack {
  readonly kind = '';
  readonly id: string;
  readonly label: string;
  readonly language: string;
  readonly #tracks: AudioTracks;

  constructor(tracks: AudioTracks, id: string, label: string, language: string) {
    this.#tracks = tracks;
    this.id = id;
    this.label = label;
    this.language = language;
  }

  get enabled(): boolean {
    return this.#tracks.enabledId === this.id;
  }

  set enabled(enabled: boolean) {
    if (enabled && !this.enabled) this.#tracks.enable(this.id);
  }
}

export class AudioTracks extends EventTarget {
  readonly #select: (id: string) => void;
  #all: readonly AudioTrack[] = [];
  #enabledId = '';

  constructor(select: (id: string) => void) {
    super();
    this.#select = select;
  }

  get length(): number {
    return this.#all.length;
  }

  get enabledId(): string {
    return this.#enabledId;
  }

  [Symbol.iterator](): Iterator<AudioTrack> {
    return this.#all[Symbol.iterator]();
  }

  enable(id: string): void {
    this.#enabledId = id;
    this.#select(id);
    this.dispatchEvent(new Event('change'));
  }

  replace(all: readonly Pick<AudioTrack, 'id' | 'label' | 'language'>[], enabledId: string): void {
    this.#all = all.map(({ id, label, language }) => new AudioTrack(this, id, label, language));
    this.#enabledId = enabledId;
    this.dispatchEvent(new Event(all.length > 0 ? 'addtrack' : 'removetrack'));
  }
}
