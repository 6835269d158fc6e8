import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import ts from 'typescript';
import { z } from 'zod';

const SHADOW = fileURLToPath(new URL('shadow.ts', import.meta.url));
const PACKAGE = import.meta.resolve('hls.js/package.json');

/** Every optional feature of hls.js, and whether the player has it. hls.js's own builds set the same names. */
const FEATURES = {
  ALT_AUDIO: true,
  SUBTITLES: true,
  MEDIA_CAPABILITIES: true,
  EME_DRM: false,
  CMCD: false,
  CONTENT_STEERING: false,
  VARIABLE_SUBSTITUTION: false,
  INTERSTITIALS: false,
  IFRAMES: false,
  // HEVC and AC-3 in MPEG-TS. In fragmented MP4 they play all the same.
  M2TS_ADVANCED_CODECS: false,
} as const;

/** Modules of those features, and some that have no name; engine.ts turns off the settings that would use them. */
const LEFT_OUT = [
  ...['cmcd-controller', 'id3-track-controller', 'cea-608-parser', 'fetch-loader'],
  ...['aes-decryptor', 'sample-aes'],
];

export interface BundledHls {
  /** An ES module whose default export is the class. */
  readonly code: string;
  /** Bytes of each module in it, by the path of its source. */
  readonly modules: ReadonlyMap<string, number>;
}

/**
 * Bundles hls.js from its source with those features only: its light build has neither alternative audio
 * nor subtitles, and the full one has a third more than the player uses.
 */
export async function bundleHls(): Promise<BundledHls> {
  const source = (path: string) => fileURLToPath(new URL(`src/${path}`, PACKAGE));
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(fileURLToPath(PACKAGE), 'utf8')));
  const features = Object.entries(FEATURES).map(([name, has]) => [`__USE_${name}__`, String(has)]);
  const { outputFiles, metafile } = await build({
    entryPoints: [source('exports-default.ts')],
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'hls',
    define: {
      __VERSION__: JSON.stringify(version),
      'self.Worker': 'TrustedWorker',
      ...Object.fromEntries(features),
    },
    // As hls.js builds itself: a field that is declared without a value is not set to undefined.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    plugins: [withoutModules(source('empty.js')), withoutMessages],
    logLevel: 'silent',
    write: false,
    metafile: true,
  });
  const [bundle] = outputFiles;
  const [output] = Object.values(metafile.outputs);
  if (!bundle || !output) throw new Error('esbuild made no file of hls.js.');
  const modules = Object.entries(output.inputs).map(
    ([path, { bytesInOutput }]) => [path, bytesInOutput] as const,
  );
  return { code: withItsWorker(bundle.text), modules: new Map(modules) };
}

/**
 * hls.js starts its worker from the source text of the function around it, under the names that it has in
 * hls.js's own builds: so the worker costs no bytes. It is started by a class that a page's Trusted Types
 * allow.
 */
function withItsWorker(bundle: string): string {
  return `import { TrustedWorker } from ${JSON.stringify(SHADOW)};
    export default (function __HLS_WORKER_BUNDLE__(__IN_WORKER__) {
    ${bundle}
    return hls.default;
  })(false);`;
}

function withoutModules(empty: string): Plugin {
  const filter = new RegExp(`/(${LEFT_OUT.join('|')})$`);
  return {
    name: 'modules left out',
    setup: (bundle) => bundle.onResolve({ filter }, () => ({ path: empty })),
  };
}

/** Takes out what hls.js writes to the console where `debug` is set, which the player never does. */
const withoutMessages: Plugin = {
  name: 'messages left out',
  setup: (bundle) =>
    bundle.onLoad({ filter: /\/hls\.js\/src\/.*\.ts$/ }, async ({ path }) => ({
      contents: removeMessages(await readFile(path, 'utf8')),
      loader: 'ts',
    })),
};

const MESSAGES = /^(this|(this\.|this\.hls\.|hls\.)?logger)\.(trace|debug|log|info|warn|error)$/;

function removeMessages(source: string): string {
  const file = ts.createSourceFile('module.ts', source, ts.ScriptTarget.ESNext);
  const found: ts.Node[] = [];
  const visit = (node: ts.Node) => {
    if (
      ts.isExpressionStatement(node) &&
      ts.isCallExpression(node.expression) &&
      MESSAGES.test(node.expression.expression.getText(file))
    ) {
      found.push(node);
    } else {
      node.forEachChild(visit);
    }
  };
  visit(file);
  return found.reduceRight(
    (text, node) => `${text.slice(0, node.getStart(file))};${text.slice(node.end)}`,
    source,
  );
}
