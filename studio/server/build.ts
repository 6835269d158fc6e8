import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A file of the page. */
export interface PageFile {
  readonly body: Buffer;
  readonly contentType: string;
}

type Page = ReadonlyMap<string, PageFile>;

let built: Promise<Page> | undefined;

/** What differs between servers. */
export interface PageValues {
  readonly token: string;
  readonly backendName: string;
}

/**
 * Returns the page's files by their paths below `/studio/`. The first call bundles them, which takes a moment.
 * `index.html` contains `{{token}}` and `{{backendName}}`. Throws esbuild's BuildFailure if the sources are broken.
 */
export function buildPage(): Promise<Page> {
  built ??= bundle();
  return built;
}

/** Fills the values into an HTML file; other files have none. */
export function fillPage({ body, contentType }: PageFile, values: PageValues): string | Buffer {
  if (!contentType.startsWith('text/html')) return body;
  return body
    .toString('utf8')
    .replaceAll(/\{\{(token|backendName)\}\}/g, (_, name: keyof PageValues) => values[name]);
}

async function bundle(): Promise<Page> {
  const { outputFiles } = await build({
    entryPoints: [source('../page/main.tsx'), source('../page/app.css')],
    outdir: source('../page'),
    write: false,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2023',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const bundled = (ending: string) => {
    const found = outputFiles.find(({ path }) => path.endsWith(ending));
    if (!found) throw new Error(`esbuild made no ${ending}.`);
    return Buffer.from(found.contents);
  };
  return new Map([
    ['index.html', page(await readFile(source('../page/index.html')), 'text/html; charset=utf-8')],
    ['main.js', page(bundled('main.js'), 'text/javascript; charset=utf-8')],
    ['app.css', page(bundled('app.css'), 'text/css; charset=utf-8')],
    ['icon.svg', page(await readFile(source('../page/icon.svg')), 'image/svg+xml')],
  ]);
}

function page(body: Buffer, contentType: string): PageFile {
  return { body, contentType };
}

function source(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
