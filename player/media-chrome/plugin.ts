import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

/** The runtime names of media-chrome's elements and custom properties: `media-…` with this before it. */
const PREFIX = 'vod-';

const SHADOW = fileURLToPath(new URL('../shadow.ts', import.meta.url));
const ELEMENT_UTILS = fileURLToPath(new URL('element-utils.ts', import.meta.url));

/**
 * Bundles media-chrome in a form that can live on any page:
 *
 * - Its elements and custom properties get names of the player's own. A page can have media-chrome
 *   already, in whatever version, and themes for it: a name is registered once for a page, and a class
 *   of another copy has none of the states that this copy sets.
 * - Its markup and rules come by shadow.ts, as the page's policies demand.
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

/** Throws where a version of media-chrome writes markup in a way that is not known here. */
function adapt(source: string, path: string): string {
  const adapted = source
    // Not in the paths of imports, and not inside of other names; but in closing tags.
    .replace(/(?<![\w.-]|(?<!<)\/)media-(?=[a-z])/g, `${PREFIX}media-`)
    .replaceAll('--media-', `--${PREFIX}media-`)
    .replaceAll('extends globalThis.HTMLElement', 'extends StyledElement')
    .replace(
      /this\.shadowRoot\.setHTMLUnsafe \?[^:;]+: this\.shadowRoot\.innerHTML = html;/g,
      'fillShadow(this.shadowRoot, html);',
    )
    .replace(/this\.shadowRoot\.innerHTML = ([^;]+);/g, 'fillShadow(this.shadowRoot, $1);')
    .replace(/\.innerHTML = ([^;]+);/g, '.innerHTML = trusted($1);')
    // What the video is at, and not what it was at its last event: two quick presses are two steps.
    .replace(/this\.mediaStore\.getState\(\)\.mediaVolume\b/g, 'this.media?.volume')
    .replace(/this\.mediaStore\.getState\(\)\.mediaPlaybackRate\b/g, 'this.media?.playbackRate')
    .replace(/(\.insertAdjacentHTML\(\s*"\w+",\s*)('[^']*')/g, '$1trusted($2)');
  const unknown =
    /setHTMLUnsafe|innerHTML = (?!trusted)|insertAdjacentHTML\((?!\s*"\w+",\s*trusted)/;
  const [found] = unknown.exec(adapted) ?? [];
  if (found) throw new Error(`${path} writes markup by "${found}", which plugin.ts does not know.`);
  return `import { fillShadow, StyledElement, trusted } from ${JSON.stringify(SHADOW)};\n${adapted}`;
}
