import MediaCaptionsButton from 'media-chrome/dist/media-captions-button.js';
import MediaControlBar from 'media-chrome/dist/media-control-bar.js';
import MediaController from 'media-chrome/dist/media-controller.js';
import MediaFullscreenButton from 'media-chrome/dist/media-fullscreen-button.js';
import MediaGestureReceiver from 'media-chrome/dist/media-gesture-receiver.js';
import MediaLoadingIndicator from 'media-chrome/dist/media-loading-indicator.js';
import MediaMuteButton from 'media-chrome/dist/media-mute-button.js';
import MediaPipButton from 'media-chrome/dist/media-pip-button.js';
import MediaPlayButton from 'media-chrome/dist/media-play-button.js';
import MediaPreviewChapterDisplay from 'media-chrome/dist/media-preview-chapter-display.js';
import MediaPreviewThumbnail from 'media-chrome/dist/media-preview-thumbnail.js';
import MediaPreviewTimeDisplay from 'media-chrome/dist/media-preview-time-display.js';
import MediaTimeDisplay from 'media-chrome/dist/media-time-display.js';
import MediaTimeRange from 'media-chrome/dist/media-time-range.js';
import MediaTooltip from 'media-chrome/dist/media-tooltip.js';
import MediaVolumeRange from 'media-chrome/dist/media-volume-range.js';
import { MediaAudioTrackMenu } from 'media-chrome/dist/menu/media-audio-track-menu.js';
import { MediaCaptionsMenu } from 'media-chrome/dist/menu/media-captions-menu.js';
import { MediaChromeMenuItem } from 'media-chrome/dist/menu/media-chrome-menu-item.js';
import { MediaPlaybackRateMenu } from 'media-chrome/dist/menu/media-playback-rate-menu.js';
import { MediaRenditionMenu } from 'media-chrome/dist/menu/media-rendition-menu.js';
import { MediaSettingsMenu } from 'media-chrome/dist/menu/media-settings-menu.js';
import { MediaSettingsMenuButton } from 'media-chrome/dist/menu/media-settings-menu-button.js';
import { MediaSettingsMenuItem } from 'media-chrome/dist/menu/media-settings-menu-item.js';
import { keepStylesOutOfMarkup } from './strict-styles.ts';
import css from './vod-player.css';

keepStylesOutOfMarkup([
  ...[MediaController, MediaGestureReceiver, MediaControlBar, MediaLoadingIndicator],
  ...[MediaPlayButton, MediaMuteButton, MediaCaptionsButton, MediaPipButton],
  ...[MediaFullscreenButton, MediaTooltip, MediaVolumeRange, MediaTimeRange, MediaTimeDisplay],
  ...[MediaPreviewThumbnail, MediaPreviewTimeDisplay, MediaPreviewChapterDisplay],
  ...[MediaSettingsMenu, MediaSettingsMenuButton, MediaSettingsMenuItem, MediaChromeMenuItem],
  ...[MediaRenditionMenu, MediaPlaybackRateMenu, MediaAudioTrackMenu, MediaCaptionsMenu],
]);

/**
 * An empty title of the controller keeps the browser from showing the element's own as a tooltip, and the
 * empty header keeps media-chrome from putting a way back into the menu that there is none from.
 */
const HTML = `
<media-controller title="" class="idle" nosubtitleslangpref>
  <video slot="media" preload="none" playsinline crossorigin="anonymous"></video>
  <div slot="poster" class="poster"></div>
  <div slot="top-chrome" class="heading" dir="auto"></div>
  <media-loading-indicator slot="centered-chrome" noautohide></media-loading-indicator>
  <media-play-button slot="centered-chrome" class="start" notooltip noautohide>
    <svg slot="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.1v13.8L19 12z" /></svg>
  </media-play-button>
  <p slot="centered-chrome" class="problem" role="alert" noautohide></p>
  <media-settings-menu id="settings" anchor="auto" hidden>
    <span slot="header" hidden></span>
    ${submenu('Quality', 'media-rendition-menu')}
    ${submenu('Speed', 'media-playback-rate-menu', 'rates="0.5 0.75 1 1.25 1.5 2"')}
    ${submenu('Sound', 'media-audio-track-menu')}
    ${submenu('Captions', 'media-captions-menu')}
  </media-settings-menu>
  <media-time-range></media-time-range>
  <media-control-bar>
    <media-play-button class="play"></media-play-button>
    <media-mute-button></media-mute-button>
    <media-volume-range></media-volume-range>
    <media-time-display showduration notoggle></media-time-display>
    <span class="gap"></span>
    <media-captions-button></media-captions-button>
    <media-settings-menu-button invoketarget="settings"></media-settings-menu-button>
    <media-pip-button></media-pip-button>
    <media-fullscreen-button></media-fullscreen-button>
  </media-control-bar>
</media-controller>`;

/** Its way back is an item, as a menu may have no other children. */
function submenu(name: string, tag: string, attributes = ''): string {
  return `<media-settings-menu-item>${name}
    <${tag} slot="submenu" ${attributes} hidden>
      <button slot="header" part="back" role="menuitem" aria-label="Back from ${name}">
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M15 5l-7 7 7 7" /></svg>${name}
      </button>
    </${tag}>
  </media-settings-menu-item>`;
}

export interface Layout {
  readonly controller: MediaController;
  readonly captionsButton: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly poster: HTMLElement;
  readonly heading: HTMLElement;
  readonly problem: HTMLElement;
  /** Over the whole player, until the first press. */
  readonly startButton: HTMLElement;
  readonly playButton: HTMLElement;
}

/** Fills the element's shadow root with the controls. */
export function layOut(root: ShadowRoot): Layout {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  root.innerHTML = HTML;
  const menu = find(root, 'media-settings-menu', MediaSettingsMenu);
  // media-chrome counts also those that a video has no use for: the focus would get stuck at them.
  Object.defineProperty(menu, 'items', { get: () => [...menu.children].filter(isShownItem) });
  return {
    controller: find(root, 'media-controller', MediaController),
    captionsButton: find(root, 'media-captions-button', HTMLElement),
    video: find(root, 'video', HTMLVideoElement),
    poster: find(root, '.poster', HTMLElement),
    heading: find(root, '.heading', HTMLElement),
    problem: find(root, '.problem', HTMLElement),
    startButton: find(root, '.start', HTMLElement),
    playButton: find(root, '.play', HTMLElement),
  };
}

/** Corrects what media-chrome says of its parts each time that they come into a page. */
export function setRoles({ controller, captionsButton }: Layout): void {
  // media-chrome calls it a button, and has it be checked, which buttons cannot.
  captionsButton.role = 'switch';
  // Nothing but its buttons is to be reached by the Tab key.
  controller.removeAttribute('tabindex');
}

function isShownItem(element: Element): boolean {
  return element instanceof MediaSettingsMenuItem && getComputedStyle(element).display !== 'none';
}

function find<Kind extends Element>(
  root: ShadowRoot,
  selector: string,
  kind: abstract new () => Kind,
): Kind {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`The player has no ${selector}.`);
  return found;
}
