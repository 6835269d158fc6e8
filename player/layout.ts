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
import { fillShadow } from './shadow.ts';
import css from './vod-player.css';

/**
 * An empty title of the controller keeps the browser from showing the element's own as a tooltip, and the
 * empty header keeps media-chrome from putting a way back into the menu that there is none from.
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

/** Its way back is an item, as a menu may have no other children. */
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
  /** Something to know while it plays. */
  readonly notice: HTMLElement;
  /** Over the whole player, until the first press. */
  readonly startButton: HTMLElement;
  /** In the middle, at the end. */
  readonly replayButton: HTMLElement;
  readonly playButton: HTMLElement;
}

/**
 * Fills the element's shadow root with the controls of a <video>.
 * Throws a TypeError where the page's Trusted Types allow no markup of the player.
 */
export function layOut(root: ShadowRoot, video: HTMLVideoElement): Layout {
  fillShadow(root, `<style>${css}</style>${HTML}`);
  const controller = find(root, 'vod-media-controller', MediaController);
  controller.prepend(video);
  const menu = find(root, 'vod-media-settings-menu', MediaSettingsMenu);
  for (const button of root.querySelectorAll('vod-media-control-bar > [role=button]'))
    nameTip(button);
  // media-chrome counts also those that a video has no use for: the focus would get stuck at them.
  Object.defineProperty(menu, 'items', { get: () => [...menu.children].filter(isShownItem) });
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

/** Corrects what media-chrome says of its parts each time that they come into a page. */
export function setRoles({ controller, captionsButton, timeRange }: Layout): void {
  // media-chrome calls it a button, and has it be checked, which buttons cannot.
  captionsButton.role = 'switch';
  // Nothing but its buttons is to be reached by the Tab key.
  controller.removeAttribute('tabindex');
  // A picture of what the time beside it says.
  const preview = timeRange.shadowRoot?.querySelector('vod-media-preview-thumbnail');
  preview?.shadowRoot?.querySelector('img')?.setAttribute('alt', '');
}

/**
 * Has the tooltip of a button say what the button is called. media-chrome has two texts in it, and hides
 * one by its slot, which not everything that reads a page understands.
 */
function nameTip(button: Element): void {
  const tip = document.createElement('span');
  tip.slot = 'tooltip-content';
  button.append(tip);
  const name = () => {
    const label = button.getAttribute('aria-label') ?? '';
    tip.textContent = label.charAt(0).toUpperCase() + label.slice(1);
  };
  new MutationObserver(name).observe(button, { attributeFilter: ['aria-label'] });
  name();
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
