import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleHls } from './bundle-hls.ts';
import { mediaChrome } from './media-chrome/plugin.ts';

export interface BundledPlayer {
  /** An ES module without imports. The same sources give the same bytes. */
  readonly file: Uint8Array;
  /** The size of each module in the file in bytes, by source path. */
  readonly modules: ReadonlyMap<string, number>;
}

/** Builds the element's file, `vod-player.js`. */
export async function buildPlayer(): Promise<Uint8Array> {
  return (await bundlePlayer()).file;
}

/** Builds the file and lists the modules in it. */
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
            // Its only import has an absolute path.
            resolveDir: '/',
          }));
        },
      },
    ],
  });
  const [file] = outputFiles;
  const [output] = Object.values(metafile.outputs);
  if (!file || !output) throw new Error('esbuild wrote no bundle of player/vod-player.ts.');
  const others = Object.entries(output.inputs)
    .filter(([path]) => path !== 'bundled:hls.js')
    .map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const);
  return { file: file.contents, modules: new Map([...others, ...hls.modules]) };
}
