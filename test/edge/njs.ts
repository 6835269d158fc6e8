import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EdgeEvent } from '../../edge/event.ts';
import { viewerRequestSource } from '../../edge/source.ts';
import type { EdgeRule } from '../../edge/source.ts';

/** Why njs cannot run. Undefined if it can. */
export const whyNoNjs =
  spawnSync('njs', ['-v']).status === 0
    ? undefined
    : 'njs is missing; install it with ./scripts/setup --test';

/**
 * Runs the rules in njs, nginx's engine, with one program for all events and the clock at `now`. Returns the answers
 * as JSON. Debian's njs supports little more than CloudFront Functions do, so a source that runs here most likely
 * runs there. Throws Error with njs's output.
 */
export function runInNjs(
  rules: Readonly<Record<string, EdgeRule>>,
  events: readonly { readonly rule: string; readonly event: EdgeEvent }[],
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
    JSON.parse(${literal(JSON.stringify(events))}).forEach(function (one) {
      // One line for each answer: njs breaks lines that are longer than 2 KB.
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

/** A string literal. Before ES2019, two line separators that JSON allows had to be escaped in it. */
function literal(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
