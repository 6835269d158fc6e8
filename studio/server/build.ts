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

/**
 * The page's files, by their paths below `/studio/`; made when they are first asked for, which takes a
 * moment. `index.html` has `{{token}}` and `{{backendName}}` where these belong. Throws esbuild's BuildFailure
 * when the sources are broken.
 */
export function buildPage(): Promise<Page> {
  built ??= bundle();
  return built;
}

/** What a file is on one server: only HTML has something to be filled in. */
export function fillPage(
  { body, contentType }: PageFile,
  values: { readonly token: string; readonly backendName: string },
): string | Buffer {
  if (!contentType.startsWith('text/html')) return body;
  return body
    .toString('utf8')
    .replaceAll(/\{\{(token|backendName)\}\}/g, (_, name: keyof typeof values) => values[name]);
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
