/**
 * Markup and rules of shadow roots, in a form that a page's policies allow and that survives moving the element.
 *
 * A `<style>` needs `'unsafe-inline'` in the page's Content-Security-Policy, and loses the rules that a script inserted
 * as soon as the element is disconnected. Adopted style sheets have neither problem.
 */

interface Policy {
  /** Returns a TrustedHTML, which every sink accepts like a string. */
  createHTML(html: string): string;
  /** Returns a TrustedScriptURL. */
  createScriptURL(address: string): string;
}

declare global {
  interface Window {
    readonly trustedTypes?: { createPolicy(name: string, rules: Policy): Policy };
  }
}

/** The name that a page which lists its `trusted-types` has to allow. */
const POLICY = 'vod-player';
let policy: Policy | undefined;

/** Makes the player's own markup acceptable to a page that requires Trusted Types. */
export function trustedHtml(html: string): string {
  return (policy ??= createPolicy()).createHTML(html);
}

/** A worker that runs a script in memory, on such a page as well. hls.js starts it. */
export class TrustedWorker extends Worker {
  constructor(address: string) {
    super((policy ??= createPolicy()).createScriptURL(address));
  }
}

/** Called at first use only, as browsers report each attempt to create a policy that the page does not allow. */
function createPolicy(): Policy {
  const rules: Policy = {
    createHTML: (html) => html,
    createScriptURL: (address) => {
      if (!address.startsWith('blob:'))
        throw new TypeError(`${address} is not a script of the player.`);
      return address;
    },
  };
  try {
    return window.trustedTypes?.createPolicy(POLICY, rules) ?? rules;
  } catch {
    // The page does not allow the policy. Its default policy may allow the markup.
    return rules;
  }
}

/** The sheets of each root, even after the browser has dropped them from `adoptedStyleSheets`. */
const sheets = new WeakMap<ShadowRoot, CSSStyleSheet[]>();

/**
 * Replaces the content of a shadow root. The rules of each `<style>` become an adopted sheet of this root only.
 * Throws a TypeError if the page's Trusted Types do not allow the player's markup.
 */
export function renderShadow(root: ShadowRoot, html: string): void {
  const template = document.createElement('template');
  template.innerHTML = trustedHtml(html);
  const { content } = template;
  // Nested elements render their shadow roots themselves.
  for (const nested of content.querySelectorAll('template[shadowrootmode]')) nested.remove();
  const adopted: CSSStyleSheet[] = [];
  for (const style of content.querySelectorAll('style')) {
    // media-chrome enables the row layout of its menus by the media attribute of a <style>. The player does not use
    // that layout, but media-chrome fails if the element is missing.
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

/** An element whose shadow root is rendered by renderShadow(). It keeps its rules wherever it is moved. */
export class StyledElement extends HTMLElement {
  /** Style sheets belong to the document that created them, so the browser drops them when the document changes. */
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
