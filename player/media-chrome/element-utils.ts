/**
 * Replaces media-chrome's module of the same name in the bundle (plugin.ts). It finds the rules that depend on state,
 * such as the width of a bar, in the adopted style sheets instead of in a <style>.
 */
export * from 'media-chrome/dist/utils/element-utils.js';

export function getCSSRule(
  root: ShadowRoot,
  matches: (selector: string) => boolean,
): CSSStyleRule | undefined {
  for (const sheet of root.adoptedStyleSheets) {
    for (const rule of sheet.cssRules) {
      if (isStyleRule(rule) && matches(rule.selectorText)) return rule;
    }
  }
  return undefined;
}

/** Appends an empty rule. */
export function insertCSSRule(root: ShadowRoot, selector: string): CSSStyleRule {
  const sheet = root.adoptedStyleSheets.at(-1);
  const rule = sheet?.cssRules[sheet.insertRule(`${selector} {}`, sheet.cssRules.length)];
  if (!rule || !isStyleRule(rule)) throw new Error(`The rule "${selector}" could not be inserted.`);
  return rule;
}

export function getOrInsertCSSRule(root: ShadowRoot, selector: string): CSSStyleRule {
  return getCSSRule(root, (one) => one === selector) ?? insertCSSRule(root, selector);
}

/** Does not use instanceof, as the style sheets of another document have other classes. */
function isStyleRule(rule: CSSRule): rule is CSSStyleRule {
  return 'selectorText' in rule;
}
