import 'media-chrome/dist/media-captions-button.js';
import 'media-chrome/dist/media-control-bar.js';
import MediaController from 'media-chrome/dist/media-controller.js';
import 'media-chrome/dist/media-fullscreen-button.js';
import 'media-chrome/dist/media-loading-indicator.js';
import 'media-chrome/dist/media-mute-button.js';
import 'media-chrome/dist/media-pip-button.js';
import 'media-chrome/dist/media-play-button.js';
import 'media-chrome/dist/media-time-display.js';
import 'media-chrome/dist/media-time-range.js';
import 'media-chrome/dist/media-volume-range.js';
import 'media-chrome/dist/menu/media-audio-track-menu.js';
import 'media-chrome/dist/menu/media-captions-menu.js';
import 'media-chrome/dist/menu/media-playback-rate-menu.js';
import 'media-chrome/dist/menu/media-rendition-menu.js';
import { MediaSettingsMenu } from 'media-chrome/dist/menu/media-settings-menu.js';
import 'media-chrome/dist/menu/media-settings-menu-button.js';
import { MediaSettingsMenuItem } from 'media-chrome/dist/menu/media-settings-menu-item.js';
import { renderShadow } from './shadow.ts';
import css from './vod-player.css';

/**
 * The empty title of the controller keeps the browser from showing the element's title as a tooltip. The empty header
 * keeps media-chrome from adding a back button to the top-level menu.
 */
const HTML = `
<vod-media-controller title="" class="idle" nosubtitleslangpref
  breakpoints="xs:200 small:300 sm:384 md:576">
  <div slot="poster" class="poster"></div>
  <div slot="top-chrome" class="heading" dir="auto"></div>
  <vod-media-loading-indicator slot="centered-chrome" noautohide></vod-media-loading-indicator>
  <vod-media-play-button slot="centered-chrome" class="start" notooltip noautohide>
    <svg slot="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M8 5.1v13.8L19 12z" /></svg>
  </vod-media-play-button>
  <button slot="centered-chrome" class="replay" aria-label="replay" noautohide>
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 5V1.5L6.5 6 12 10.5V7a5.5 5.5 0 1 1-5.5 5.5h-2A7.5 7.5 0 1 0 12 5z" /></svg>
  </button>
  <p slot="centered-chrome" class="problem" dir="auto" role="alert" noautohide></p>
  <p slot="centered-chrome" class="notice" dir="auto" role="status" noautohide></p>
  <vod-media-settings-menu id="settings" anchor="auto" hidden>
    <span slot="header" hidden></span>
    ${submenu('Quality', 'vod-media-rendition-menu')}
    ${submenu('Speed', 'vod-media-playback-rate-menu', 'rates="0.5 0.75 1 1.25 1.5 2"')}
    ${submenu('Sound', 'vod-media-audio-track-menu')}
    ${submenu('Captions', 'vod-media-captions-menu')}
  </vod-media-settings-menu>
  <vod-media-time-range></vod-media-time-range>
  <vod-media-control-bar>
    <vod-media-play-button class="play"></vod-media-play-button>
    <vod-media-mute-button></vod-media-mute-button>
    <vod-media-volume-range></vod-media-volume-range>
    <vod-media-time-display showduration notoggle></vod-media-time-display>
    <span class="gap"></span>
    <vod-media-captions-button></vod-media-captions-button>
    <vod-media-settings-menu-button invoketarget="settings"></vod-media-settings-menu-button>
    <vod-media-pip-button></vod-media-pip-button>
    <vod-media-fullscreen-button></vod-media-fullscreen-button>
  </vod-media-control-bar>
</vod-media-controller>`;

/** The back button has the role of a menu item, as a menu may have no other children. */
function submenu(name: string, tag: string, attributes = ''): string {
  return `<vod-media-settings-menu-item>${name}
    <${tag} slot="submenu" ${attributes} hidden>
      <button slot="header" part="back" role="menuitem" aria-label="Back from ${name}">
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M15 5l-7 7 7 7" /></svg>${name}
      </button>
    </${tag}>
  </vod-media-settings-menu-item>`;
}

export interface Layout {
  readonly controller: MediaController;
  readonly captionsButton: HTMLElement;
  readonly timeRange: HTMLElement;
  readonly poster: HTMLElement;
  readonly heading: HTMLElement;
  readonly problem: HTMLElement;
  /** Shown while playback continues. */
  readonly notice: HTMLElement;
  /** Covers the whole player before playback starts. */
  readonly startButton: HTMLElement;
  /** In the middle, when the video has ended. */
  readonly replayButton: HTMLElement;
  readonly playButton: HTMLElement;
}

/**
 * Renders the controls of a `<video>` into the element's shadow root.
 * Throws a TypeError if the page's Trusted Types do not allow the player's markup.
 */
export function renderLayout(root: ShadowRoot, video: HTMLVideoElement): Layout {
  renderShadow(root, `<style>${css}</style>${HTML}`);
  const controller = find(root, 'vod-media-controller', MediaController);
  controller.prepend(video);
  const menu = find(root, 'vod-media-settings-menu', MediaSettingsMenu);
  for (const button of root.querySelectorAll('vod-media-control-bar > [role=button]')) {
    addTooltip(button);
  }
  // media-chrome includes hidden items, and the focus would get stuck at them.
  Object.defineProperty(menu, 'items', { get: () => [...menu.children].filter(isVisibleItem) });
  return {
    controller,
    captionsButton: find(root, 'vod-media-captions-button', HTMLElement),
    timeRange: find(root, 'vod-media-time-range', HTMLElement),
    poster: find(root, '.poster', HTMLElement),
    heading: find(root, '.heading', HTMLElement),
    problem: find(root, '.problem', HTMLElement),
    notice: find(root, '.notice', HTMLElement),
    startButton: find(root, '.start', HTMLElement),
    replayButton: find(root, '.replay', HTMLElement),
    playButton: find(root, '.play', HTMLElement),
  };
}

/** Corrects the accessibility attributes that media-chrome sets each time its elements are connected. */
export function correctRoles({ controller, captionsButton, timeRange }: Layout): void {
  // media-chrome makes it a button with aria-checked, which buttons do not support.
  captionsButton.role = 'switch';
  // The Tab key should reach the controls only.
  controller.removeAttribute('tabindex');
  // The preview image is decorative, as the time beside it describes it.
  const preview = timeRange.shadowRoot?.querySelector('vod-media-preview-thumbnail');
  preview?.shadowRoot?.querySelector('img')?.setAttribute('alt', '');
}

/**
 * Gives a button a tooltip with its accessible name. media-chrome's own tooltip holds two texts and hides one of them
 * by its slot, which not all assistive technology understands.
 */
function addTooltip(button: Element): void {
  const tooltip = document.createElement('span');
  tooltip.slot = 'tooltip-content';
  button.append(tooltip);
  const update = () => {
    const label = button.getAttribute('aria-label') ?? '';
    tooltip.textContent = label.charAt(0).toUpperCase() + label.slice(1);
  };
  new MutationObserver(update).observe(button, { attributeFilter: ['aria-label'] });
  update();
}

function isVisibleItem(element: Element): boolean {
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
