/**
 * media-chrome writes <style> with rules into its shadow roots, which a site's Content-Security-Policy
 * refuses unless it says 'unsafe-inline' (https://github.com/muxinc/media-chrome/issues/898). Here the
 * markup keeps an empty <style>, which a policy can allow by the hash of nothing, and its rules come by
 * the CSSOM, which no policy forbids.
 */
const TAG = 'vod-player-rules';

/** The rules of the <style> before it, as text; gone once they are in force. */
class Rules extends HTMLElement {
  connectedCallback(): void {
    const style = this.previousElementSibling;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(this.textContent);
    if (style instanceof HTMLStyleElement && style.sheet) {
      // Before those that the element has added to its sheet, which are to win.
      for (const [index, { cssText }] of [...sheet.cssRules].entries()) {
        style.sheet.insertRule(cssText, index);
      }
    }
    this.remove();
  }
}

/** Has these elements of media-chrome, of which none may exist yet, and what they are made of, do without inline styles. */
export function keepStylesOutOfMarkup(elements: readonly CustomElementConstructor[]): void {
  if (customElements.get(TAG)) return;
  customElements.define(TAG, Rules);
  const done = new Set<object>();
  for (const element of elements) {
    for (
      let one: unknown = element;
      typeof one === 'function' && one !== HTMLElement;
      one = Object.getPrototypeOf(one)
    ) {
      if (!done.has(one)) rewriteTemplate(one);
      done.add(one);
    }
  }
}

function rewriteTemplate(element: object): void {
  const template: unknown = Object.getOwnPropertyDescriptor(element, 'getTemplateHTML')?.value;
  if (typeof template !== 'function') return;
  const value = function (this: unknown, ...given: unknown[]): string {
    const html = String(Reflect.apply(template, this, given));
    return html.replaceAll(
      /(<style[^>]*>)([^<]+)<\/style>/g,
      `$1</style><${TAG} hidden>$2</${TAG}>`,
    );
  };
  Object.defineProperty(element, 'getTemplateHTML', { value });
}
