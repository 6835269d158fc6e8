import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { mediaChrome } from './media-chrome/plugin.ts';

/** The element as one file, an ES module without a dependency; the same sources give the same bytes. */
export async function buildPlayer(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('vod-player.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    // Shadow DOM, constructed style sheets and :has(): Chrome 105, Firefox 121, Safari 16.4.
    target: ['chrome105', 'firefox121', 'safari16.4'],
    plugins: [mediaChrome],
    loader: { '.css': 'text' },
    legalComments: 'eof',
    logLevel: 'silent',
    write: false,
  });
  const [bundle] = outputFiles;
  if (!bundle) throw new Error('esbuild made no file of player/vod-player.ts.');
  return bundle.contents;
}
