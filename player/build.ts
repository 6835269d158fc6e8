import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleHls } from './hls.ts';
import { mediaChrome } from './media-chrome/plugin.ts';

export interface BundledPlayer {
  /** One file, an ES module without a dependency; the same sources give the same bytes. */
  readonly file: Uint8Array;
  /** Bytes of each module in it, by the path of its source. */
  readonly modules: ReadonlyMap<string, number>;
}

/** The element's file, `vod-player.js`. */
export async function buildPlayer(): Promise<Uint8Array> {
  return (await bundlePlayer()).file;
}

/** The same, and what it is made of. */
export async function bundlePlayer(): Promise<BundledPlayer> {
  const hls = await bundleHls();
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('vod-player.ts', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    // Shadow DOM, constructed style sheets and :has(): Chrome 105, Firefox 121, Safari 16.4.
    target: ['chrome105', 'firefox121', 'safari16.4'],
    loader: { '.css': 'text' },
    legalComments: 'eof',
    logLevel: 'silent',
    write: false,
    metafile: true,
    plugins: [
      mediaChrome,
      {
        name: 'hls.js',
        setup(bundle) {
          const filter = /^hls\.js$/;
          bundle.onResolve({ filter }, ({ path }) => ({ path, namespace: 'bundled' }));
          bundle.onLoad({ filter, namespace: 'bundled' }, () => ({
            contents: hls.code,
            // For the absolute path of its one import.
            resolveDir: '/',
          }));
        },
      },
    ],
  });
  const [file] = outputFiles;
  const [output] = Object.values(metafile.outputs);
  if (!file || !output) throw new Error('esbuild made no file of player/vod-player.ts.');
  const others = Object.entries(output.inputs)
    .filter(([path]) => path !== 'bundled:hls.js')
    .map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const);
  return { file: file.contents, modules: new Map([...others, ...hls.modules]) };
}
