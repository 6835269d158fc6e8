/**
 * Markup and rules of a shadow root, in a form that a page's policies allow and that survives a move.
 *
 * Rules in a `<style>` need `'unsafe-inline'` in the page's Content-Security-Policy, and the CSSOM loses
 * what was inserted into one as soon as the element is disconnected. Adopted style sheets do neither.
 */

interface Policy {
  /** A TrustedHTML in truth, which every sink takes like a string. */
  createHTML(html: string): string;
  /** A TrustedScriptURL in truth. */
  createScriptURL(address: string): string;
}

declare global {
  interface Window {
    readonly trustedTypes?: { createPolicy(name: string, rules: Policy): Policy };
  }
}

/** The name that a page allows in its `trusted-types`, if it restricts them. */
const POLICY = 'vod-player';
let policy: Policy | undefined;

/** Markup of the player's own, for a page that requires Trusted Types. */
export function trusted(html: string): string {
  return (policy ??= createPolicy()).createHTML(html);
}

/** A worker from a script that the player has in memory, for such a page as well. hls.js starts it. */
export class TrustedWorker extends Worker {
  constructor(address: string) {
    super((policy ??= createPolicy()).createScriptURL(address));
  }
}

/** At first use, as each creation of a policy that the page does not allow is reported to the page. */
function createPolicy(): Policy {
  const rules: Policy = {
    createHTML: (html) => html,
    createScriptURL: (address) => {
      if (!address.startsWith('blob:')) throw new TypeError(`${address} is not the player's.`);
      return address;
    },
  };
  try {
    return window.trustedTypes?.createPolicy(POLICY, rules) ?? rules;
  } catch {
    // The page does not allow it. Its default policy may.
    return rules;
  }
}

/** Every sheet of a root, also after the browser has dropped them from `adoptedStyleSheets`. */
const sheets = new WeakMap<ShadowRoot, CSSStyleSheet[]>();

/**
 * Fills a shadow root; the rules of each `<style>` become an adopted sheet of this root alone.
 * Throws a TypeError where the page's Trusted Types allow no markup of the player.
 */
export function fillShadow(root: ShadowRoot, html: string): void {
  const template = document.createElement('template');
  template.innerHTML = trusted(html);
  const { content } = template;
  // Elements inside fill their shadow roots themselves.
  for (const nested of content.querySelectorAll('template[shadowrootmode]')) nested.remove();
  const adopted: CSSStyleSheet[] = [];
  for (const style of content.querySelectorAll('style')) {
    // media-chrome switches its row layout of menus by a media attribute: the player has none, but
    // media-chrome wants to find the element.
    if (style.media) {
      style.replaceWith(
        Object.assign(document.createElement('span'), { id: style.id, hidden: true }),
      );
    } else {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(style.textContent);
      adopted.push(sheet);
      style.remove();
    }
  }
  root.replaceChildren(content);
  root.adoptedStyleSheets = adopted;
  sheets.set(root, adopted);
}

/** An element with a shadow root that fillShadow() has filled. It keeps its rules wherever it is moved. */
export class StyledElement extends HTMLElement {
  /** Another document drops the sheets, as each belongs to the document that made it. */
  adoptedCallback(): void {
    const { shadowRoot: root, ownerDocument } = this;
    const { defaultView: view } = ownerDocument;
    const kept = root && sheets.get(root);
    if (!kept || !view) return;
    const copies = kept.map((sheet) => {
      const copy = new view.CSSStyleSheet();
      copy.replaceSync([...sheet.cssRules].map(({ cssText }) => cssText).join('\n'));
      return copy;
    });
    root.adoptedStyleSheets = copies;
    sheets.set(root, copies);
  }
}
