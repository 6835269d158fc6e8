import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

/** Precedes the names of media-chrome's elements and custom properties, `media-…`. */
const PREFIX = 'vod-';

const SHADOW = fileURLToPath(new URL('../shadow.ts', import.meta.url));
const ELEMENT_UTILS = fileURLToPath(new URL('element-utils.ts', import.meta.url));

/**
 * Bundles media-chrome in a form that works on any page:
 *
 * - Its elements and custom properties get names of the player's own, as a page may already have media-chrome in
 *   another version, and themes for it. A page can register each element name once only, and the classes of another
 *   copy do not know the states that this copy sets.
 * - Its markup and rules go through shadow.ts, as the policies of pages demand.
 */
export const mediaChrome: Plugin = {
  name: 'media-chrome',
  setup: (build) => {
    build.onResolve({ filter: /\/element-utils\.js$/ }, ({ importer }) =>
      importer === ELEMENT_UTILS ? undefined : { path: ELEMENT_UTILS },
    );
    build.onLoad({ filter: /\/media-chrome\/dist\/.*\.js$/ }, async ({ path }) => ({
      contents: adapt(await readFile(path, 'utf8'), path),
      loader: 'js',
    }));
  },
};

/** Throws if this version of media-chrome writes markup in an unknown way. */
function adapt(source: string, path: string): string {
  const adapted = source
    // Matches closing tags, but neither import paths nor parts of other names.
    .replace(/(?<![\w.-]|(?<!<)\/)media-(?=[a-z])/g, `${PREFIX}media-`)
    .replaceAll('--media-', `--${PREFIX}media-`)
    .replaceAll('extends globalThis.HTMLElement', 'extends StyledElement')
    .replace(
      /this\.shadowRoot\.setHTMLUnsafe \?[^:;]+: this\.shadowRoot\.innerHTML = html;/g,
      'renderShadow(this.shadowRoot, html);',
    )
    .replace(/this\.shadowRoot\.innerHTML = ([^;]+);/g, 'renderShadow(this.shadowRoot, $1);')
    .replace(/\.innerHTML = ([^;]+);/g, '.innerHTML = trustedHtml($1);')
    // Reads the current value instead of that at the last media event, so that two quick presses are two steps.
    .replace(/this\.mediaStore\.getState\(\)\.mediaVolume\b/g, 'this.media?.volume')
    .replace(/this\.mediaStore\.getState\(\)\.mediaPlaybackRate\b/g, 'this.media?.playbackRate')
    .replace(/(\.insertAdjacentHTML\(\s*"\w+",\s*)('[^']*')/g, '$1trustedHtml($2)');
  const unknown =
    /setHTMLUnsafe|innerHTML = (?!trustedHtml)|insertAdjacentHTML\((?!\s*"\w+",\s*trustedHtml)/;
  const [found] = unknown.exec(adapted) ?? [];
  if (found) throw new Error(`${path} writes markup by "${found}", which plugin.ts does not know.`);
  return `import { renderShadow, StyledElement, trustedHtml } from ${JSON.stringify(SHADOW)};\n${adapted}`;
}
