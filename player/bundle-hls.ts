import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import ts from 'typescript';
import { z } from 'zod';

const SHADOW = fileURLToPath(new URL('shadow.ts', import.meta.url));
const PACKAGE = import.meta.resolve('hls.js/package.json');

/** All optional features of hls.js, and whether the player has them. The names are those of hls.js's own builds. */
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
  // HEVC and AC-3 in MPEG-TS. Both still play in fragmented MP4.
  M2TS_ADVANCED_CODECS: false,
} as const;

/** Modules that no remaining feature needs. engine.ts turns off the settings that would use them. */
const EXCLUDED_MODULES = [
  'cmcd-controller',
  'id3-track-controller',
  'cea-608-parser',
  'fetch-loader',
  'aes-decryptor',
  'sample-aes',
];

export interface BundledHls {
  /** An ES module whose default export is the class Hls. */
  readonly code: string;
  /** The size of each module in bytes, by source path. */
  readonly modules: ReadonlyMap<string, number>;
}

/**
 * Bundles hls.js from its source with these features only. Its light build has neither alternative audio nor subtitles,
 * and a third of its full build is code that the player does not use.
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
    // As in hls.js's own builds: a field declared without a value is not set to undefined.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    plugins: [excludeModules(source('empty.js')), removeLogging],
    logLevel: 'silent',
    write: false,
    metafile: true,
  });
  const [bundle] = outputFiles;
  const [output] = Object.values(metafile.outputs);
  if (!bundle || !output) throw new Error('esbuild wrote no bundle of hls.js.');
  const modules = Object.entries(output.inputs).map(
    ([path, { bytesInOutput }]) => [path, bytesInOutput] as const,
  );
  return { code: wrapForWorker(bundle.text), modules: new Map(modules) };
}

/**
 * Wraps the bundle in a function with the name and parameter that it has in hls.js's own builds. hls.js starts its
 * worker from the source text of that function, so the worker adds no bytes. TrustedWorker replaces Worker for pages
 * that require Trusted Types.
 */
function wrapForWorker(bundle: string): string {
  return `import { TrustedWorker } from ${JSON.stringify(SHADOW)};
    export default (function __HLS_WORKER_BUNDLE__(__IN_WORKER__) {
    ${bundle}
    return hls.default;
  })(false);`;
}

function excludeModules(empty: string): Plugin {
  const filter = new RegExp(`/(${EXCLUDED_MODULES.join('|')})$`);
  return {
    name: 'exclude modules',
    setup: (bundle) => bundle.onResolve({ filter }, () => ({ path: empty })),
  };
}

/** Removes the log messages of hls.js. It writes them only if `debug` is set, and the player never sets it. */
const removeLogging: Plugin = {
  name: 'remove logging',
  setup: (bundle) =>
    bundle.onLoad({ filter: /\/hls\.js\/src\/.*\.ts$/ }, async ({ path }) => ({
      contents: removeLogCalls(await readFile(path, 'utf8')),
      loader: 'ts',
    })),
};

const LOG_CALL = /^(this|(this\.|this\.hls\.|hls\.)?logger)\.(trace|debug|log|info|warn|error)$/;

function removeLogCalls(source: string): string {
  const file = ts.createSourceFile('module.ts', source, ts.ScriptTarget.ESNext);
  const found: ts.Node[] = [];
  const visit = (node: ts.Node) => {
    if (
      ts.isExpressionStatement(node) &&
      ts.isCallExpression(node.expression) &&
      LOG_CALL.test(node.expression.expression.getText(file))
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
