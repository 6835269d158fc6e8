import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { viewerRequestSource } from '../../edge/source.ts';
import type { EdgeRule } from '../../edge/source.ts';
import type { EdgeEvent } from '../../edge/event.ts';

/** Why the second engine cannot run; undefined when it can. */
export const whyNoNjs =
  spawnSync('njs', ['-v']).status === 0
    ? undefined
    : 'njs is missing, get it by ./scripts/setup --test';

/**
 * Runs the rules in njs, nginx's engine, by one program for all events, its clock at `now`. Returns what
 * each answered, as JSON. Debian's njs knows little more than CloudFront Functions do, so that what it
 * does not understand is not for them either. Throws Error with what it said.
 */
export function runInNjs(
  rules: Readonly<Record<string, EdgeRule>>,
  asked: readonly { readonly rule: string; readonly event: EdgeEvent }[],
  now: number,
): readonly string[] {
  const handlers = Object.entries(rules).map(
    ([name, rule]) =>
      `HANDLERS[${literal(name)}] = (function () { ${viewerRequestSource(rule)}\nreturn handler; })();`,
  );
  const program = `
    Date.now = function () { return ${now}; };
    var HANDLERS = {};
    ${handlers.join('\n')}
    JSON.parse(${literal(JSON.stringify(asked))}).forEach(function (one) {
      // A line for each: njs breaks longer ones after 2 KB.
      console.log(JSON.stringify(HANDLERS[one.rule](one.event)));
    });`;
  const folder = mkdtempSync(join(tmpdir(), 'vodstack-njs-'));
  try {
    const file = join(folder, 'program.js');
    writeFileSync(file, program);
    const { status, stdout, stderr } = spawnSync('njs', [file], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`njs ended with ${status}:\n${stdout}${stderr}`);
    return stdout.trimEnd().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A literal of that text in JavaScript of 2009, which knows two line breaks more than JSON. */
function literal(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
