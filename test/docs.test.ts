import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
const RECORDS = readdirSync(join(ROOT, 'docs/adr')).filter((name) => /^\d{4}-/.test(name));

const LINK = /\]\((?![a-z]+:)([^)#\s]+)[^)]*\)/g;
/** A code file with its folder, or anything below a folder of this repository, in backticks. */
const NAMED_PATH =
  /`(?:\.\/)?([\w.-]+(?:\/[\w.-]+)+\.(?:tsx?|js|json|py|css|sh)(?!\w)|(?:bench|core|docs|edge|infra|player|scripts|studio|test|worker)\/[\w./-]*)[^`]*`/g;
/** Keys in the delivery bucket, and a path in a version. */
const NOT_FILES = ['player/vod-player.js', '720p/00000.ts'];
const SOURCES = globSync(
  '{bench,core,edge,infra,player,scripts,studio,test,worker}/**/*.{ts,tsx,js}',
  { cwd: ROOT },
);
const COMMENT = /(?:^\s*\/?\*|\/\/ )(.*)/gm;
const COMMENTED_PATH = /(?<![\w./@-])((?:[\w-]+\/)+[\w.-]+\.(?:tsx?|js|md|json|py|css))\b/g;

const read = (page: string) => readFileSync(join(ROOT, page), 'utf8');
const firstGroups = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, group]) => group ?? '');

describe('documentation', () => {
  test('every relative link in the documentation leads to a file', () => {
    const broken = PAGES.flatMap((page) =>
      firstGroups(read(page), LINK)
        .filter((link) => !existsSync(join(ROOT, dirname(page), link)))
        .map((link) => `${page}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  test('every path that the documentation names exists', () => {
    const missing = PAGES.flatMap((page) =>
      firstGroups(read(page), NAMED_PATH)
        .filter((path) => !NOT_FILES.includes(path) && !existsSync(join(ROOT, path)))
        .map((path) => `${page}: ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test('every path that a comment in the code names exists', () => {
    const missing = SOURCES.flatMap((source) =>
      firstGroups(read(source), COMMENT)
        .flatMap((comment) => firstGroups(comment, COMMENTED_PATH))
        .filter((path) => !NOT_FILES.includes(path) && !existsSync(join(ROOT, path)))
        .map((path) => `${source}: ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test('the README has at most 150 lines', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(150);
  });
});

describe('decision records', () => {
  test('the index of the decision records links each of them once', () => {
    const linked = firstGroups(read('docs/adr/README.md'), /\]\((\d{4}-[^)]+)\)/g);
    expect(linked.toSorted()).toEqual(RECORDS.toSorted());
  });

  test('the decision records are numbered without gaps', () => {
    const numbers = RECORDS.toSorted().map((name) => Number(name.slice(0, 4)));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  test('a decision record gives the reason for each dependency', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      'dependencies' | 'devDependencies',
      Record<string, string>
    >;
    const text = RECORDS.map((name) => read(`docs/adr/${name}`)).join('\n');
    const names = Object.keys({ ...dependencies, ...devDependencies });
    expect(names.filter((name) => !text.includes(`**${name}**`))).toEqual([]);
  });
});
