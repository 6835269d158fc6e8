import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pathOf } from '../../scripts/cli/file-name.ts';

const PROGRAM = fileURLToPath(new URL('programs/files.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('../../scripts/cli/main.ts', import.meta.url));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vodstack-names-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Names as a shell writes them, by printf, each the name of a file that is there. */
function told(...names: readonly string[]): readonly unknown[] {
  const script = `${names.map((name) => `set -- "$@" "$(printf '${name}')"`).join('\n')}
    for name in "$@"; do [ -e "$name" ] || : > "$name"; done
    exec "$NODE" --disable-warning=ExperimentalWarning "$PROGRAM" "$@"`;
  const env = { ...process.env, NODE: process.execPath, PROGRAM };
  const out = execFileSync('sh', ['-c', script], { cwd: directory, env, encoding: 'utf8' });
  const lines = out.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as unknown);
}

describe('A file is found by its bytes', () => {
  test('where they are Latin-1, EUC-KR, cut off or surrogates in UTF-8, and each has a name of its own.', () => {
    const bytes = [
      'caf\\351.mp4',
      'caf\\350.mp4',
      '\\260\\255\\300\\307.mp4',
      'a\\355\\240\\200',
      'b\\342\\202',
    ];
    expect(told(...bytes)).toEqual([
      { file: 'caf\udce9.mp4', name: 'caf\ufffd.mp4', mistake: null },
      { file: 'caf\udce8.mp4', name: 'caf\ufffd.mp4', mistake: null },
      { file: '\udcb0\udcad\udcc0\udcc7.mp4', name: '\ufffd\ufffd\ufffd\ufffd.mp4', mistake: null },
      { file: 'a\udced\udca0\udc80', name: 'a\ufffd\ufffd\ufffd', mistake: null },
      { file: 'b\udce2\udc82', name: 'b\ufffd\ufffd', mistake: null },
    ]);
  });

  test('and others beside it by the names that they have.', () => {
    const name = '강의 \ufffd 🎬.mp4';
    expect(told('\\377', name, 'plain.mp4')).toEqual([
      { file: '\udcff', name: '\ufffd', mistake: null },
      { file: name, name, mistake: null },
      { file: 'plain.mp4', name: 'plain.mp4', mistake: null },
    ]);
  });

  test('where the current folder is none of them, a command says so.', () => {
    const script = `mkdir "$(printf 'f\\351')"; cd "$(printf 'f\\351')"; exec "$NODE" --disable-warning=ExperimentalWarning "$PROGRAM" start`;
    const env = { ...process.env, NODE: process.execPath, PROGRAM: MAIN };
    const { status, stderr } = spawnSync('sh', ['-c', script], {
      cwd: directory,
      env,
      encoding: 'utf8',
    });
    expect(stderr).toBe(
      'The name of the current folder is not UTF-8. Run this from another one.\n',
    );
    expect(status).toBe(1);
  });

  test('in a folder whose name is not UTF-8, too.', () => {
    const path = join(directory, 'f\udce9', 'a.mp4');
    expect(pathOf(path)).toEqual(Buffer.from(`${directory}/f\xe9/a.mp4`, 'latin1'));
    expect(pathOf('plain')).toBe('plain');
  });
});
